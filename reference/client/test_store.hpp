// Test only: a client store that keeps entries, checks the commit rule and can crash instead of committing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reference/client/store.hpp"

namespace wavetank::client::test {

class TestStore final : public ClientStore {
 public:
  struct Durable {
    DeviceState state;
    std::map<ConversationId, std::map<std::uint64_t, protocol::Event>> entries;
  };

  // The next commit() that has something to write is lost, as by a crash just before it.
  bool crash_at_commit = false;
  bool crashed = false;
  std::uint64_t commits = 0;
  std::vector<std::string> complaints;

  const Durable& durable() const { return durable_; }
  bool has_outbox_row(const ClientMessageId& id) const {
    const auto& rows = durable_.state.outbox;
    return std::any_of(rows.begin(), rows.end(),
                       [&](const OutboxRow& row) { return row.client_msg_id == id; });
  }
  const ConversationMarks* marks(const ConversationId& id) const {
    for (const ConversationMarks& row : durable_.state.conversations) {
      if (row.id == id) return &row;
    }
    return nullptr;
  }

  void load(DeviceState& state) override { state = durable_.state; }
  void stage_entry(const protocol::Event& event) override {
    staged_.push_back([this, event](Durable& durable) {
      auto& entries = durable.entries[event.conversation];
      if (!entries.empty() && entries.rbegin()->first >= event.conv_seq) {
        complaints.push_back("entry stored twice or out of order");
      }
      entries[event.conv_seq] = event;
    });
  }
  void stage_conversation(const ConversationMarks& marks, std::uint32_t) override {
    staged_.push_back([this, marks](Durable& durable) {
      auto& rows = durable.state.conversations;
      for (ConversationMarks& row : rows) {
        if (row.id != marks.id) continue;
        if (row.epoch != 0 && marks.epoch > row.epoch) {
          // A fork: what is void goes with its numbers.
          auto& entries = durable.entries[marks.id];
          entries.erase(entries.upper_bound(marks.cur_seq), entries.end());
        } else if (marks.cur_seq < row.cur_seq || marks.read_seq < row.read_seq ||
                   (marks.known_head_seq < row.known_head_seq && !is_guess_given_up(row, marks))) {
          complaints.push_back("a mark fell");
        }
        row = marks;
        return;
      }
      rows.push_back(marks);
    });
  }
  void stage_feed(std::uint32_t user_epoch, std::uint64_t user_seq) override {
    staged_.push_back([this, user_epoch, user_seq](Durable& durable) {
      if (user_epoch == durable.state.user_epoch && user_seq < durable.state.user_seq) {
        complaints.push_back("the feed's cursor fell");
      }
      durable.state.user_epoch = user_epoch;
      durable.state.user_seq = user_seq;
    });
  }
  void stage_outbox(const OutboxRow& row) override {
    staged_.push_back([row](Durable& durable) {
      for (OutboxRow& existing : durable.state.outbox) {
        if (existing.client_msg_id != row.client_msg_id) continue;
        existing = row;
        return;
      }
      durable.state.outbox.push_back(row);
    });
  }
  void erase_outbox(const ClientMessageId& id) override {
    staged_.push_back([id](Durable& durable) {
      std::erase_if(durable.state.outbox, [&](const OutboxRow& row) { return row.client_msg_id == id; });
    });
  }
  void stage_setting(const SettingRow& row) override {
    staged_.push_back([this, row](Durable& durable) {
      for (const SettingRow& older : durable.state.settings) {
        if (older.conversation == row.conversation && older.value.kind == row.value.kind &&
            older.revision > row.revision) {
          complaints.push_back("a setting's revision fell");
        }
      }
      put_setting_row(durable.state.settings, row);
    });
  }
  void stage_put(const protocol::PutSetting& put) override {
    staged_.push_back([this, put](Durable& durable) {
      if (put.op <= durable.state.last_op) complaints.push_back("a put's number was used before");
      durable.state.last_op = put.op;
      add_put(durable.state.puts, put);
    });
  }
  void erase_put(std::uint64_t op) override {
    staged_.push_back([op](Durable& durable) {
      std::erase_if(durable.state.puts, [op](const protocol::PutSetting& put) { return put.op == op; });
    });
  }
  void stage_floor(const FloorRow& row) override {
    staged_.push_back([this, row](Durable& durable) {
      for (const FloorRow& older : durable.state.floors) {
        if (older.conversation == row.conversation && older.floor_seq >= row.floor_seq)
          complaints.push_back("a floor fell");
      }
      put_floor_row(durable.state.floors, row);
    });
  }
  void stage_fork(const ForkRow& row) override {
    staged_.push_back([row](Durable& durable) { durable.state.forks.push_back(row); });
  }
  void stage_hidden(const HiddenRow& row) override {
    staged_.push_back([row](Durable& durable) { put_hidden_row(durable.state.hidden, row); });
  }
  void stage_snapshot(const SnapshotProgress& snapshot) override {
    staged_.push_back([snapshot](Durable& durable) { durable.state.snapshot = snapshot; });
  }
  void stage_counter(std::uint32_t next_counter) override {
    staged_.push_back([this, next_counter](Durable& durable) {
      if (next_counter <= durable.state.next_counter) complaints.push_back("the message counter fell");
      durable.state.next_counter = next_counter;
    });
  }
  void commit() override {
    if (staged_.empty()) return;
    if (crash_at_commit) {
      crash_at_commit = false;
      crashed = true;
      discard();
      return;
    }
    for (const auto& change : staged_) change(durable_);
    staged_.clear();
    ++commits;
  }
  void discard() override { staged_.clear(); }

 private:
  // The one entry above the cursor that was asked for is none.
  static bool is_guess_given_up(const ConversationMarks& before, const ConversationMarks& marks) {
    return before.known_head_seq == before.cur_seq + 1 && marks.known_head_seq == marks.cur_seq &&
           marks.cur_seq == before.cur_seq;
  }

  Durable durable_;
  std::vector<std::function<void(Durable&)>> staged_;
};

}  // namespace wavetank::client::test
