// SLO-BLAST.
#include "conformance/properties/test_support.hpp"

namespace wavetank::conformance::test {
namespace {

constexpr std::uint64_t kHere = 1;   // region 0, as a bit
constexpr std::uint64_t kThere = 2;  // region 1

// Users 0 and 1 live in region 0 with their conversation, user 2 in region 1. User 0 and 2 have many devices:
// what goes wrong with one of them may be its link.
struct Regions : HistoryBuilder {
  static constexpr std::size_t kDevices = 50;
  ConversationIndex near = direct(0, 1);
  ConversationIndex far = direct(0, 2);  // at home in region 1
  std::vector<DeviceTag> here;
  std::vector<DeviceTag> there;

  Regions() {
    config.availability_per_million = 990'000;
    records.back().size = 1;
    phase(Phase::kCalm);
    for (std::size_t i = 0; i < kDevices; ++i) here.push_back(device(0, 0));
    for (std::size_t i = 0; i < kDevices; ++i) there.push_back(device(2, 1));
  }
  void strike(std::uint64_t fault, std::uint64_t regions) {
    Record& r = write(Kind::kFault);
    r.value = fault;
    r.value2 = regions;
    phase(Phase::kFault);
  }
  void heal(std::uint64_t fault, Phase next = Phase::kRecovery) {
    write(Kind::kHeal).value = fault;
    phase(next);
  }
  // One message of each, one a second; their acknowledgements, or none.
  void say(const std::vector<DeviceTag>& devices, ConversationIndex where, bool is_acknowledged) {
    for (const DeviceTag device : devices) {
      const MessageKey key = invoke(device, where);
      transmit(key);
      if (is_acknowledged) {
        store(key);
        acknowledge(key);
      }
      wait(kSecond);
    }
  }
  void later() {
    wait(10 * kSecond);
    write(Kind::kEnd);
  }
  PropertyOutcome outcome() const { return judged().of("SLO-BLAST"); }
};

TEST(BlastRadius, WhatIsNotTouchedGoesOn) {
  Regions h;
  h.strike(0, kThere);
  h.say(h.here, h.near, true);
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kPass) << h.outcome().note;
  EXPECT_EQ(h.outcome().antecedents, Regions::kDevices);
}

TEST(BlastRadius, WhatIsNotTouchedAndStandsStillIsAViolation) {
  Regions h;
  h.strike(0, kThere);
  h.say(h.here, h.near, false);
  h.later();
  ASSERT_EQ(h.outcome().violations, 1U) << h.outcome().note;
  EXPECT_NE(h.outcome().examples.at(0).text.find("50 of 50 sends that no fault touched"), std::string::npos);
}

TEST(BlastRadius, OneLinkIsNotTheService) {
  Regions h;
  h.strike(0, kThere);
  for (int i = 0; i < 50; ++i) h.say({h.here[0]}, h.near, false);
  h.later();
  EXPECT_EQ(h.outcome().violations, 0U);
  EXPECT_EQ(h.outcome().antecedents, 50U);
}

TEST(BlastRadius, WhatIsTouchedMayStandStill) {
  Regions h;
  h.strike(0, kThere);
  h.say(h.there, h.near, false);  // its device is there
  h.say(h.here, h.far, false);    // its home is there
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(BlastRadius, InCalmPhasesAnotherPropertySpeaks) {
  Regions h;
  h.say(h.here, h.near, true);
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

// A region recovers until it is calm, whatever strikes elsewhere.
TEST(BlastRadius, ARegionIsTouchedUntilItIsCalm) {
  Regions h;
  h.strike(0, kHere);
  h.heal(0);
  h.strike(1, kThere);
  h.say(h.here, h.near, false);
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);

  Regions calm;
  calm.strike(0, kHere);
  calm.heal(0);
  calm.phase(Phase::kCalm);
  calm.strike(1, kThere);
  calm.say(calm.here, calm.near, false);
  calm.later();
  EXPECT_EQ(calm.outcome().violations, 1U);
}

// What comes within the bound after the message touches it.
TEST(BlastRadius, AFaultThatFollowsExcuses) {
  Regions h;
  h.strike(0, kThere);
  for (const DeviceTag device : h.here) h.transmit(h.invoke(device, h.near));
  h.strike(1, kHere);
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised);
}

TEST(BlastRadius, ToBeBusyIsNoAnswer) {
  Regions h;
  h.strike(0, kThere);
  for (const DeviceTag device : h.here) {
    const MessageKey key = h.invoke(device, h.near);
    h.transmit(key);
    h.refuse_for_now(key, 1000);
    h.wait(kSecond);
  }
  h.later();
  EXPECT_EQ(h.outcome().violations, 1U);
}

TEST(BlastRadius, WhoLeavesIsNotCounted) {
  Regions h;
  h.strike(0, kThere);
  for (const DeviceTag device : h.here) {
    h.transmit(h.invoke(device, h.near));
    h.wait(kSecond);
    h.close_app(device);
    h.wait(10 * kSecond);
    h.connect(device);
  }
  h.later();
  EXPECT_EQ(h.outcome().verdict, PropertyVerdict::kNotExercised) << h.outcome().note;
}

}  // namespace
}  // namespace wavetank::conformance::test
