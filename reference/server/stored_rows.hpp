// Rows of a store as frames carry them when a bucket moves: made from what is written, and written again at
// the other end.
#pragma once

#include "reference/protocol/frames.hpp"
#include "reference/store/log_store.hpp"

namespace wavetank::server {

protocol::StoredRow stored(const ConversationId& id, const store::ConversationRow& row);
protocol::StoredRow stored(const protocol::Event& event);
protocol::StoredRow stored(const store::SendKey& key, const store::SendKeyRow& row);
protocol::StoredRow stored(const ConversationId& id, const store::MembershipRow& row);
protocol::StoredRow stored(const ConversationId& id, const store::MarkRow& row);
protocol::StoredRow stored(UserId user, const protocol::Change& change);
protocol::StoredRow stored(UserId user, const store::FeedStateRow& row);
protocol::StoredRow stored(UserId user, const store::SettingOpRow& row);
protocol::StoredRow stored(UserId user, const store::UserDevice& device);
protocol::StoredRow stored(const ConversationId& queue, const store::FailureRow& row);
protocol::StoredRow stored_log_floor(const ConversationId& id, std::uint64_t below);
// `from_seq` 0: nothing is owed.
protocol::StoredRow stored_owed_fanout(const ConversationId& id, std::uint64_t from_seq);
protocol::StoredRow stored_last_seen(UserId user, std::uint64_t at_ms);
protocol::StoredRow stored_feed_floor(UserId user, std::uint64_t below);

// Does to `store` what made the row at the other end. A row that lacks what its kind needs, or of a kind of a
// newer version, does nothing.
void write_row(const protocol::StoredRow& row, store::LogStore& store);

}  // namespace wavetank::server
