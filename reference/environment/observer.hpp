// What the machines tell about themselves. Monitors, histograms and reports live behind these interfaces; the
// machines never ask them anything. Every method has an empty default.
#pragma once

#include <cstdint>

#include "reference/environment/effects.hpp"
#include "reference/environment/time.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank {

// A device's dense number, given by whoever creates the client.
using DeviceTag = std::uint32_t;

// How an entry came to a device.
enum class Via : std::uint8_t { kLive, kSync, kFetch };

// What one device did and saw. `now` is the device's own clock.
class ClientObserver {
 public:
  virtual ~ClientObserver() = default;
  virtual void connected(DeviceTag, SessionId) {}
  virtual void disconnected(DeviceTag, CloseReason) {}
  // After connected(), where resuming is offered or was asked for: the token that the Hello has shown (none:
  // {0, 0}), how far the device had followed its feed by then, and the server's answer.
  virtual void resume_answered(DeviceTag, const ResumeToken& /*shown*/, std::uint64_t /*user_seq*/,
                               const protocol::Welcome&) {}
  // The server asks the device to leave its session; told once for each session, with the jitter window that
  // the device goes by.
  virtual void go_away_received(DeviceTag, const protocol::GoAway&) {}
  // The server has left pushes out, up to this head of the feed.
  virtual void push_gap_received(DeviceTag, const protocol::PushGap&) {}
  // The user's wish, before anything is stored or sent.
  virtual void send_invoked(DeviceTag, const protocol::SendMessage&) {}
  // One transmission on the wire; attempt counts from 1 over the message's whole life.
  virtual void send_transmitted(DeviceTag, const protocol::SendMessage&, std::uint32_t /*attempt*/) {}
  // Final: ACCEPTED, DUPLICATE, or REJECTED with a definite error.
  virtual void send_resolved(DeviceTag, const protocol::SendAck&) {}
  // This attempt was refused with RATE_LIMITED; the message will be sent again.
  virtual void send_refused(DeviceTag, const protocol::SendAck&, std::uint32_t /*attempt*/) {}
  // Every event that arrives, also repeats; `applied` when it was the next one and is now shown.
  virtual void event_received(DeviceTag, const protocol::Event&, Via, bool /*applied*/) {}
  // [from, to] will not be shown; the device's cursor is now `to` when applied.
  virtual void tombstone_received(DeviceTag, const ConversationId&, const protocol::Tombstone&,
                                  bool /*applied*/) {}
  virtual void sync_invoked(DeviceTag, const protocol::Sync&) {}
  virtual void sync_completed(DeviceTag, const protocol::SyncResult&) {}
  // `request` tells the answers to several fetches apart.
  virtual void fetch_invoked(DeviceTag, std::uint64_t /*request*/, const protocol::FetchRange&) {}
  virtual void fetch_completed(DeviceTag, std::uint64_t /*request*/, const protocol::RangeResult&) {}
  virtual void delivered_sent(DeviceTag, const protocol::DeliveredCursor&) {}
  virtual void read_invoked(DeviceTag, const protocol::ReadWatermark&) {}
  virtual void cursor_acked(DeviceTag, const protocol::CursorAck&) {}
  // Somebody's marks as the feed tells them (a kReceipt change).
  virtual void receipt_received(DeviceTag, const protocol::Change&) {}
  // A conversation's head as the feed tells it, without the entries (a kPointer change). Every one that
  // arrives; not taken when changes before it are missing or it was told before.
  virtual void pointer_received(DeviceTag, const protocol::Change&, Via, bool /*taken*/) {}
  // The user's wish, before anything is stored or sent.
  virtual void setting_put(DeviceTag, const protocol::PutSetting&) {}
  // Final: ACCEPTED, DUPLICATE, or REJECTED with a definite error. Not told of a put that a later one of the
  // same device has replaced meanwhile.
  virtual void setting_resolved(DeviceTag, const protocol::SettingAck&) {}
  // The device shows this value from now on (a kSetting change).
  virtual void setting_received(DeviceTag, const protocol::Change&, Via) {}
};

// Named marks "this happened at least once" and the two ends of the service share, told by server machines.
enum class Probe : std::uint8_t {
  kDuplicateSuppressed,
  kConflictRejected,
  kOutboxResent,
  kInboxDuplicateDropped,
  kReattached,
  kUnavailableAnswered,
  kForbiddenAnswered,
  kReceiptCoalesced,
  kPointerCoalesced,
  kRangeWithTombstones,
  kSessionTimedOut,
  kBusyAnswered,
  kSessionResumed,
  kResumeRefused,
  kReplayRingOverflowed,
  kSettingCoalesced,
  kSettingRepeated,
  kSendLimited,
  kDebtCarried,
  kSessionReplaced,
  kPushQueueFull,
  kPushGapTold,
  kSlowConsumerClosed,
  kCount
};

// What became of the pushes that wait for one session's reader.
enum class QueueStep : std::uint8_t {
  kDeep,     // more than half of the bound wait
  kFull,     // one more did not fit: from now on pushes are left out
  kGapTold,  // there is room again, and the client has been told what it lacks
  kOver      // the session is over, or its connection, before there was room
};

class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  // The last byte of a SendMessage has arrived at the sender's gateway.
  virtual void send_at_gateway(NodeId, const protocol::Route&, const protocol::SendMessage&, TimeNs) {}
  // The first byte of an event leaves the recipient's gateway for this session.
  virtual void event_leaves_gateway(NodeId, const protocol::Route&, const protocol::Event&, TimeNs) {}
  // So many pushes, and so many bytes of them, are not acknowledged by the client of this session. Only told
  // of sessions that are slow.
  virtual void push_queue(NodeId, const protocol::Route&, QueueStep, std::size_t /*frames*/,
                          std::uint64_t /*bytes*/) {}
  virtual void probe(NodeId, Probe) {}
};

}  // namespace wavetank
