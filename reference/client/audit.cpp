// The auditor: reads every conversation from its first entry again, for the observer's eyes only.
#include <algorithm>

#include "reference/client/client.hpp"
#include "reference/client/reconnect.hpp"

namespace wavetank::client {

void Client::audit(TimeNs now, Effects& effects) {
  erase_if(requests_, [](const Request& request) { return request.kind == Request::Kind::kAudit; });
  audit_ = std::make_unique<Audit>();
  finish(now, effects);
}

void Client::pump_audit(TimeNs now, Effects& effects) {
  if (audit_ == nullptr || audit_->done) return;
  if (sync_in_flight_ || user_head_ > user_seq_ || gaps_ != nullptr) return;
  std::vector<AuditPage>& pages = audit_->pages;
  while (pages.size() < shared_.config.max_in_flight_fetches &&
         audit_->next_conversation < conversations_.size()) {
    pages.emplace_back().conversation = audit_->next_conversation++;
  }
  for (AuditPage& page : pages) {
    if (page.in_flight || page.due > now) continue;
    const Conversation& row = conversations_[page.conversation];
    protocol::FetchRange fetch;
    fetch.conversation = row.id;
    fetch.conv_epoch = row.epoch;
    fetch.from_seq = page.next;
    fetch.to_seq = 0;
    fetch.limit = shared_.config.fetch_limit;
    page.in_flight = true;
    const std::uint32_t request = open_request(Request::Kind::kAudit, page.conversation, page.next, now);
    shared_.observer.fetch_invoked(tag_, request, fetch);
    transmit(effects, fetch, request);
  }
  if (pages.empty()) {
    audit_->done = true;
    release_if_empty(pages);
  }
}

void Client::on_audit_page(const Request& request, const protocol::RangeResult& result, TimeNs now) {
  std::vector<AuditPage>& pages = audit_->pages;
  const auto page = std::find_if(pages.begin(), pages.end(), [&](const AuditPage& candidate) {
    return candidate.conversation == request.conversation;
  });
  if (page == pages.end()) return;
  if (result.error == protocol::ErrorCode::kForbidden) {
    // Known here, but never joined (a refused send): nothing to read.
    pages.erase(page);
    return;
  }
  if (result.error == protocol::ErrorCode::kRangeTooOld && result.min_seq > page->next &&
      result.min_seq <= kMaxSequence) {
    // What is kept begins there.
    page->next = static_cast<Sequence>(result.min_seq);
    page->in_flight = false;
    page->due = 0;
    page->failures = 0;
    return;
  }
  if (result.error != protocol::ErrorCode::kNone || result.covered_to_seq >= kMaxSequence) {
    if (result.error == protocol::ErrorCode::kEpochMismatch) {
      conversations_[request.conversation].epoch = result.conv_epoch;
    }
    audit_failed(request.conversation, 0, now);
    return;
  }
  const ConversationId& id = conversations_[request.conversation].id;
  for (const protocol::Event& event : result.events) {
    shared_.observer.event_received(tag_, event, Via::kFetch, false);
  }
  for (const protocol::Tombstone& tombstone : result.tombstones) {
    shared_.observer.tombstone_received(tag_, id, tombstone, false);
  }
  if (!result.more) {
    pages.erase(page);
  } else if (result.covered_to_seq >= page->next) {
    page->next = static_cast<Sequence>(result.covered_to_seq) + 1;
    page->in_flight = false;
    page->due = 0;
    page->failures = 0;
  } else {
    audit_failed(request.conversation, 0, now);
  }
}

void Client::audit_failed(std::uint32_t index, std::uint32_t retry_after_ms, TimeNs now) {
  for (AuditPage& page : audit_->pages) {
    if (page.conversation != index) continue;
    page.in_flight = false;
    const DurationNs delay = retry_delay(shared_, tag_, page.next, page.failures);
    page.due = now + std::max(delay, retry_after_ms * kMillisecond);
    if (page.failures < UINT16_MAX) ++page.failures;
  }
}

}  // namespace wavetank::client
