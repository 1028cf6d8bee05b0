// How long an input occupies a node: a table of data (ServiceCosts of the scenario), flattened for lookup.
#pragma once

#include <array>
#include <variant>

#include "reference/protocol/codec.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

class ServiceCosts {
 public:
  // Every body has its row; unnamed ones get the defaults. `unknown` receives the first body name that does
  // not exist.
  ServiceCosts(const scenarios::ServiceCosts& table, std::string& unknown)
      : per_byte_ps_(table.per_byte_ps()),
        per_row_ns_(table.per_row_ns()),
        per_read_ns_(table.per_read_ns()),
        per_read_row_ns_(table.per_read_row_ns()) {
    gateway_.fill(table.default_gateway_ns());
    shard_.fill(table.default_shard_ns());
    for (const auto& cost : table.cost()) {
      bool found = false;
      for_each_body([&](std::size_t index, std::string_view name) {
        if (name != cost.body()) return;
        found = true;
        if (cost.has_gateway_ns()) gateway_[index] = cost.gateway_ns();
        if (cost.has_shard_ns()) shard_[index] = cost.shard_ns();
      });
      if (!found && unknown.empty()) unknown = cost.body();
    }
  }

  DurationNs of(bool gateway, const protocol::Frame& frame, std::uint32_t bytes) const {
    return (gateway ? gateway_ : shard_)[frame.body.index()] + per_byte_ps_ * bytes / 1000;
  }
  // An input without a frame: a connection opened or closed, a link, a timer.
  DurationNs of_event(bool gateway) const { return (gateway ? gateway_ : shard_)[0]; }
  DurationNs of_rows(std::uint64_t rows) const { return per_row_ns_ * static_cast<DurationNs>(rows); }
  // Entries read out of logs: so many times, so many of them.
  DurationNs of_log_reads(std::uint64_t reads, std::uint64_t rows) const {
    return per_read_ns_ * static_cast<DurationNs>(reads) + per_read_row_ns_ * static_cast<DurationNs>(rows);
  }

 private:
  static constexpr std::size_t kBodies = std::variant_size_v<protocol::Body>;

  template <class Fn>
  static void for_each_body(Fn&& fn) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (fn(I, protocol::body_name(protocol::Frame{0, 0, 0, {}, protocol::Body(std::in_place_index<I>), {}})),
       ...);
    }(std::make_index_sequence<kBodies>());
  }

  std::array<DurationNs, kBodies> gateway_{};
  std::array<DurationNs, kBodies> shard_{};
  DurationNs per_byte_ps_;
  DurationNs per_row_ns_;
  DurationNs per_read_ns_;
  DurationNs per_read_row_ns_;
};

}  // namespace wavetank::sim
