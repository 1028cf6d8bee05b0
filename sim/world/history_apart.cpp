// What the process with a world's devices tells the one with its servers of the history.
#include <stdexcept>
#include <utility>

#include "sim/world/history_writer.hpp"

namespace wavetank::sim {

void HistoryWriter::put_news(Parcel& out) {
  std::vector<ConversationId> made;
  for (; conversations_told_ < directory_.conversations(); ++conversations_told_)
    made.push_back(directory_.conversation_id(conversations_told_));
  out.put_all(std::span<const ConversationId>(made));
  out.put(counts_);
  const std::vector<ToldRecord> told = sink_.take();
  out.put_all(std::span<const ToldRecord>(told));
}

void HistoryWriter::take_news(Unpacker& in) {
  for (const ConversationId& id : in.take_all<ConversationId>()) {
    if (directory_.number_of(id) != conversations_told_++)
      throw std::runtime_error("the two processes have given a conversation different numbers");
  }
  counts_ = in.take<Counts>();
  sink_.receive(in.take_all<ToldRecord>());
  sink_.end_beside();
  sink_.flush();
}

void HistoryWriter::put_sums(Parcel& out) const {
  out.put_all(std::span<const Reconnect>(reconnects_));
  out.put(probes_);
}

void HistoryWriter::take_sums(Unpacker& in) {
  reconnects_ = in.take_all<Reconnect>();
  for (auto& lane : probes_) {
    for (std::uint64_t& count : lane) count += in.take<std::uint64_t>();
  }
}

}  // namespace wavetank::sim
