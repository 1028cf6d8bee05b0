// SLO-AVAIL, SLO-PCT.
#include <span>

#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

// Two devices of one region, gateways 10 (region 0) and 11 (region 1).
struct Service : HistoryBuilder {
  DeviceTag anna;
  DeviceTag bert;
  ConversationIndex room;

  explicit Service(std::uint64_t cohort_of_bert = 0, std::uint64_t region_of_bert = 0) {
    config.cohorts = {"fibre", "4g"};
    config.judged_cohorts = {"fibre"};
    config.gateway_region.assign(12, kNone);
    config.gateway_region[10] = 0;
    config.gateway_region[11] = 1;
    anna = device(0);
    bert = device(1, region_of_bert, cohort_of_bert);
    room = direct(0, 1);
    step = 0;
    wait(kSecond);
  }

  // One message: to the gateway, through the service, over the last link.
  void pass(DurationNs up, DurationNs service, DurationNs down, std::uint64_t gateway = 10) {
    const MessageKey key = invoke(anna, room);
    transmit(key);
    wait(up);
    write(Kind::kSendAtGateway, anna).key = key;
    last().conversation = room;
    last().value = 10;
    store(key);
    wait(service);
    write(Kind::kEventLeavesGateway, bert).key = key;
    last().conversation = room;
    last().value = gateway;
    acknowledge(key);
    wait(down);
    push(bert, room, place(key));
    wait(kSecond);
  }
  const LatencyOutcome* latency(const Judgement& judgement, const std::string& metric, Phase phase,
                                const std::string& cohort) {
    for (const LatencyOutcome& outcome : judgement.latencies) {
      if (outcome.metric == metric && outcome.phase == phase && outcome.cohort == cohort) return &outcome;
    }
    return nullptr;
  }
};

TEST(Latency, SharesAreMeasuredAndJudged) {
  Service h;
  for (int i = 0; i < 200; ++i) h.pass(20 * kMillisecond, 30 * kMillisecond, 20 * kMillisecond);
  const Judgement judgement = h.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
  EXPECT_EQ(judgement.of("SLO-PCT").verdict, PropertyVerdict::kPass);
  const LatencyOutcome* service = h.latency(judgement, "service_share", Phase::kCalm, "all");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->histogram.count(), 200);
  EXPECT_NEAR(static_cast<double>(service->histogram.max()), 30e6, 2000);
  EXPECT_EQ(service->judged_bound, 150 * kMillisecond);
  const LatencyOutcome* end = h.latency(judgement, "end_to_end", Phase::kCalm, "fibre");
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(end->histogram.max(), 70 * kMillisecond);
  const LatencyOutcome* ack = h.latency(judgement, "send_to_ack", Phase::kCalm, "fibre");
  ASSERT_NE(ack, nullptr);
  EXPECT_EQ(ack->histogram.max(), 50 * kMillisecond);
  EXPECT_EQ(ack->judged_bound, 0);
}

TEST(Latency, AStallOfOneInThirty) {
  Service h;
  for (int i = 0; i < 3000; ++i) h.pass(kMillisecond, (i % 30 == 0 ? 2000 : 20) * kMillisecond, kMillisecond);
  expect_violated(h, "SLO-PCT");
}

TEST(Latency, SlowLinksOfJudgedCohortsOnly) {
  Service judged;
  Service unjudged(1);
  for (int i = 0; i < 900; ++i) {
    judged.pass(kMillisecond, kMillisecond, 200 * kMillisecond);
    unjudged.pass(kMillisecond, kMillisecond, 200 * kMillisecond);
  }
  expect_violated(judged, "SLO-PCT");
  expect_clean(unjudged);
  EXPECT_NE(unjudged.latency(unjudged.judged(), "end_to_end", Phase::kCalm, "4g"), nullptr);
}

TEST(Latency, OtherRegionsAndPhasesAreOnlyReported) {
  Service far(0, 1);
  for (int i = 0; i < 150; ++i) far.pass(kMillisecond, 200 * kMillisecond, kMillisecond, 11);
  expect_clean(far);
  EXPECT_NE(far.latency(far.judged(), "service_share_cross_region", Phase::kCalm, "all"), nullptr);
  EXPECT_NE(far.latency(far.judged(), "end_to_end_cross_region", Phase::kCalm, "fibre"), nullptr);

  Service broken;
  broken.phase(Phase::kFault);
  for (int i = 0; i < 150; ++i) broken.pass(kMillisecond, 900 * kMillisecond, kMillisecond);
  expect_clean(broken);
  EXPECT_NE(broken.latency(broken.judged(), "service_share", Phase::kFault, "all"), nullptr);
}

TEST(Latency, AFaultInTheMiddleMakesASampleNoCalmOne) {
  Service h;
  const MessageKey key = h.invoke(h.anna, h.room);
  h.transmit(key);
  h.phase(Phase::kFault);
  h.wait(kSecond);
  h.phase(Phase::kCalm);
  h.store(key);
  h.acknowledge(key);
  const Judgement judgement = h.judged();
  EXPECT_NE(h.latency(judgement, "send_to_ack", Phase::kFault, "fibre"), nullptr);
}

TEST(Latency, WhoConnectsLaterWaitedForHimself) {
  Service h;
  h.disconnect(h.bert);
  const MessageKey key = h.invoke(h.anna, h.room);
  h.transmit(key);
  h.store(key);
  h.acknowledge(key);
  h.wait(kSecond);
  h.connect(h.bert);
  h.push(h.bert, h.room, 1);
  EXPECT_EQ(h.latency(h.judged(), "end_to_end", Phase::kCalm, "fibre"), nullptr);
}

TEST(Availability, AnswersInTime) {
  Service h;
  for (int i = 0; i < 100; ++i) h.pass(kMillisecond, kMillisecond, kMillisecond);
  h.wait(10 * kSecond);
  h.write(Kind::kEnd);
  const Judgement judgement = h.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
  EXPECT_EQ(judgement.of("SLO-AVAIL").verdict, PropertyVerdict::kPass);
  EXPECT_EQ(judgement.of("SLO-AVAIL").antecedents, 100U);
}

TEST(Availability, TooManyLateAnswers) {
  Service h;
  for (int i = 0; i < 4000; ++i) h.pass(kMillisecond, (i % 100 == 0 ? 6 : 1) * kSecond, kMillisecond);
  h.wait(10 * kSecond);
  h.write(Kind::kEnd);
  expect_violated(h, "SLO-AVAIL");
}

// A dead spot of one link hits all that its device sends; it refutes nothing, and the same number all over
// the run does.
TEST(Availability, OneClusterOfLateAnswersIsNoBrokenPromise) {
  Service clustered;
  Service spread;
  for (int i = 0; i < 4000; ++i) {
    clustered.pass(kMillisecond, (i < 30 ? 6 : 1) * kSecond, kMillisecond);
    spread.pass(kMillisecond, (i % 133 == 0 ? 6 : 1) * kSecond, kMillisecond);
  }
  for (Service* h : {&clustered, &spread}) {
    h->wait(10 * kSecond);
    h->write(Kind::kEnd);
  }
  EXPECT_EQ(clustered.judged().of("SLO-AVAIL").verdict, PropertyVerdict::kPass);
  expect_violated(spread, "SLO-AVAIL");
}

// Who is sent away does not leave of its own will, unless the user closes the app.
TEST(Availability, APlannedRestartExcusesNothing) {
  for (const bool closes_app : {false, true}) {
    Service h;
    h.transmit(h.invoke(h.anna, h.room));
    h.go_away(h.anna);
    if (closes_app) {
      h.close_app(h.anna);
    } else {
      h.disconnect(h.anna, CloseReason::kNormal);
    }
    h.connect(h.anna);
    h.wait(10 * kSecond);
    h.transmit(h.invoke(h.anna, h.room));
    h.disconnect(h.anna, CloseReason::kNormal);  // of the next connection: as ever
    h.wait(10 * kSecond);
    h.write(Kind::kEnd);
    EXPECT_EQ(h.judged().of("SLO-AVAIL").antecedents, closes_app ? 0U : 1U);
  }
}

// However many a device had on their way when it left, none of them counts; what it had only written does, as
// soon as it is transmitted.
TEST(Availability, ALeaveExcusesAllThatWasOnItsWayAndNothingElse) {
  Service h;
  std::vector<MessageKey> written;
  for (int i = 0; i < 50; ++i) written.push_back(h.invoke(h.anna, h.room));
  for (const MessageKey key : std::span(written).first(40)) h.transmit(key);
  h.disconnect(h.anna, CloseReason::kNormal);
  h.connect(h.anna);
  for (const MessageKey key : std::span(written).last(10)) h.transmit(key);
  h.wait(10 * kSecond);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.judged().of("SLO-AVAIL").antecedents, 10U);
}

TEST(Availability, FaultsAndLeavesAreExcused) {
  Service h;
  h.transmit(h.invoke(h.anna, h.room));
  h.disconnect(h.anna, CloseReason::kNormal);
  h.wait(10 * kSecond);
  h.connect(h.anna);
  h.phase(Phase::kFault);
  h.transmit(h.invoke(h.anna, h.room));
  h.wait(10 * kSecond);
  h.write(Kind::kEnd);
  EXPECT_EQ(h.judged().of("SLO-AVAIL").antecedents, 0U);
}

}  // namespace
}  // namespace wavetank::conformance::test
