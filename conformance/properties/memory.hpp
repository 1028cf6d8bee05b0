// What memory costs, and where a judge's memory is.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wavetank::conformance {

// What glibc takes for a block of `bytes` on the heap: a head of 8, the sum a multiple of 16 and at least 32.
constexpr std::size_t heap_bytes(std::size_t bytes) {
  return bytes == 0 ? 0 : bytes <= 24 ? 32 : (bytes + 8 + 15) / 16 * 16;
}

// Asks for memory that will be looked at soon.
inline void prefetch(const void* memory, std::size_t bytes) {
  const auto* at = static_cast<const char*>(memory);
  __builtin_prefetch(at);
  if (bytes > 1) __builtin_prefetch(at + bytes - 1);
}

// Of a flat table of Boost.Unordered: groups of 15 slots and a word of 16 bytes for each.
template <class Table>
std::size_t table_bytes(const Table& table) {
  return table.bucket_count() * sizeof(typename Table::value_type) + (table.bucket_count() + 14) / 15 * 16;
}

// The memory of a judge by what it is for, in bytes: capacities, index slots and the heap's heads, whether in
// use or not. The same for every run of one history.
struct JudgeMemory {
  struct Rows {
    std::size_t rows = 0;
    std::size_t bytes = 0;
    double each() const { return rows == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(rows); }
  };
  Rows devices;               // with their users
  Rows conversations;         // all that were declared: what an idle one costs
  Rows logs;                  // the conversations in which anything was said or set, and their floors
  Rows subscriptions;         // (device, conversation)
  Rows members;               // (user, conversation): memberships of groups, and marks
  Rows writers;               // (device, conversation) that was written to
  Rows pointed;               // (device, conversation) that a pointer has named
  Rows entries;               // the windows of the logs; rows: their room
  Rows messages;              // the windows of the devices; rows: their room
  std::size_t under_way = 0;  // fetches, pages, marks and checks that wait for an answer or an entry

  // Tables that monitors keep for themselves.
  struct OfMonitor {
    std::string_view property;
    std::size_t bytes = 0;
  };
  std::vector<OfMonitor> monitors;

  // The whole, cut into what a reader of a report asks for.
  struct Part {
    std::string_view name;
    std::size_t bytes = 0;
  };
  std::array<Part, 7> parts() const {
    std::size_t tables = 0;
    for (const OfMonitor& monitor : monitors) tables += monitor.bytes;
    return {{{"devices", devices.bytes},
             {"conversations", conversations.bytes + logs.bytes},
             {"subscriptions", subscriptions.bytes + members.bytes + writers.bytes + pointed.bytes},
             {"entries", entries.bytes},
             {"messages", messages.bytes},
             {"under way", under_way},
             {"single properties", tables}}};
  }
  std::size_t total() const {
    std::size_t sum = 0;
    for (const Part& part : parts()) sum += part.bytes;
    return sum;
  }
};

}  // namespace wavetank::conformance
