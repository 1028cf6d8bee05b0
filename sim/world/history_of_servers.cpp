// What servers tell of themselves and of their devices' sessions, as records.
#include <algorithm>

#include "sim/world/history_writer.hpp"

namespace wavetank::sim {

using history::Kind;
using history::Record;

void HistoryWriter::send_at_gateway(NodeId node, const protocol::Route& route,
                                    const protocol::SendMessage& message, TimeNs) {
  const std::uint32_t device = directory_.device(route.user, route.device);
  if (device == history::kNone) return;  // a hostile peer's
  Record r = record_of_server(Kind::kSendAtGateway, device);
  r.key = {r.device, message_counter(message.client_msg_id)};
  r.value = node;
  sink_.on(r, ToldRecord::kOfServerInConversation, message.conversation);
}

void HistoryWriter::event_leaves_gateway(NodeId node, const protocol::Route& route,
                                         const protocol::Event& event, TimeNs) {
  const std::uint32_t device = directory_.device(route.user, route.device);
  if (device == history::kNone) return;
  Record r = record_of_server(Kind::kEventLeavesGateway, device);
  r.key = directory_.key(event.sender, event.sender_device, event.client_msg_id);
  r.seq = event.conv_seq;
  r.epoch = event.conv_epoch > 1 ? event.conv_epoch : 0;
  r.value = node;
  sink_.on(r, ToldRecord::kOfServerInConversation, event.conversation);
}

void HistoryWriter::push_queue(NodeId node, const protocol::Route& route, QueueStep step, std::size_t frames,
                               std::uint64_t bytes) {
  if (directory_.device(route.user, route.device) == history::kNone) return;
  Record r = record_of_server(Kind::kPushQueue, directory_.device(route.user, route.device));
  r.code = static_cast<std::uint8_t>(step);
  r.value = frames;
  r.value2 = bytes;
  r.size = node;
  sink_.on(r, ToldRecord::kOfServer);
}

void HistoryWriter::token_granted(NodeId node, UserId user, DeviceIndex device, DurationNs valid) {
  const std::uint32_t number = directory_.device(user, device);
  if (number == history::kNone) return;
  Record r = record_of_server(Kind::kCredential, number);
  r.value = static_cast<std::uint64_t>(valid);
  r.value2 = node;
  sink_.on(r, ToldRecord::kOfServer);
}

void HistoryWriter::session_served(NodeId node, const protocol::Route& route, bool on) {
  if (directory_.device(route.user, route.device) == history::kNone) return;
  Record r = record_of_server(Kind::kServed, directory_.device(route.user, route.device));
  r.seq = route.session;
  r.value = node;
  r.flag = on;
  sink_.on(r, ToldRecord::kOfServer);
}

void HistoryWriter::bucket_served(NodeId node, std::uint32_t bucket, std::uint32_t version) {
  if (bucket >= owners_.size()) owners_.resize(bucket + 1);
  Owner& owner = owners_[bucket];
  if (owner.node == node && owner.version == version) return;
  owner = {node, version};
  Record r;
  r.time = scheduler_.now();
  r.kind = Kind::kBucketServed;
  r.value = bucket;
  r.value2 = version;
  r.size = node;
  sink_.on(r);
}

void HistoryWriter::entry_parked(NodeId node, const protocol::Route& route,
                                 const ConversationId& conversation, std::uint64_t seq, Via via,
                                 std::uint32_t failures) {
  Record r = record_of_server(Kind::kParked, directory_.device(route.user, route.device));
  r.seq = seq;
  r.code = static_cast<std::uint8_t>(via);
  r.value = failures;
  r.size = node;
  sink_.on(r, ToldRecord::kOfServerInConversation, conversation);
}

void HistoryWriter::effect_parked(NodeId node, NodeId source, std::uint64_t number, std::uint32_t failures) {
  Record r;
  r.time = scheduler_.now();
  r.kind = Kind::kEffectParked;
  r.value = number;
  r.value2 = source;
  r.epoch = failures;
  r.size = node;
  sink_.on(r);
}

// A gauge, no record: nobody outside of the shard could see it.
void HistoryWriter::hot_windows(NodeId, std::size_t, std::uint64_t bytes) {
  hot_window_bytes_ = std::max(hot_window_bytes_, bytes);
}

void HistoryWriter::owed_fanouts(NodeId, std::size_t conversations) {
  owed_fanouts_ = std::max<std::uint64_t>(owed_fanouts_, conversations);
}

void HistoryWriter::copy_followed(NodeId node, bool on) {
  if (on) {
    followed_.insert(node);
  } else {
    followed_.erase(node);
  }
}

bool HistoryWriter::is_lost_alone(NodeId lost) {
  if (lost == server::kNoNode) return was_one_alone_;
  const bool is_alone = !followed_.contains(lost);
  was_one_alone_ = was_one_alone_ || is_alone;
  return is_alone;
}

void HistoryWriter::feed_forked(NodeId node, UserId user, std::uint64_t first, std::uint64_t next,
                                NodeId lost) {
  Record r;
  r.time = scheduler_.now();
  r.kind = Kind::kFeedForked;
  r.user = Directory::user(user);
  r.value = first;
  r.value2 = next;
  r.size = node;
  r.flag = is_lost_alone(lost);
  sink_.on(r);
}

void HistoryWriter::log_forked(NodeId node, const protocol::EpochChanged& fork, NodeId lost) {
  Record r;
  r.time = scheduler_.now();
  r.kind = Kind::kForked;
  r.epoch = fork.new_epoch;
  r.size = fork.old_epoch;
  r.seq = fork.fork_seq;
  r.value = node;
  r.flag = is_lost_alone(lost);
  sink_.on(r, ToldRecord::kOfServerInConversation, fork.conversation);
}

}  // namespace wavetank::sim
