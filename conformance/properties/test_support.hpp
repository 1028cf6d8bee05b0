// What the tests of the monitors share. Test-only.
#pragma once

#include <gtest/gtest.h>

#include "conformance/properties/history_builder.hpp"

namespace wavetank::conformance::test {

// Nothing is violated.
inline void expect_clean(const HistoryBuilder& history) {
  const Judgement judgement = history.judged();
  EXPECT_TRUE(judgement.failed().empty()) << judgement.told();
}

// This property is violated; others may be too.
inline void expect_violated(const HistoryBuilder& history, const std::string& id) {
  const Judgement judgement = history.judged();
  EXPECT_TRUE(judgement.violated(id)) << "not violated; these are:\n" << judgement.told();
}

// Two users with a device each and their conversation.
struct Pair : HistoryBuilder {
  DeviceTag anna = device(0);
  DeviceTag bert = device(1);
  ConversationIndex chat_room = direct(0, 1);
};

// A group of the users 0, 1 and 2 with a device each; user 3 has a device and stays outside. Entries 1 to 3
// are joins.
struct Trio : HistoryBuilder {
  DeviceTag anna = device(0);
  DeviceTag bert = device(1);
  DeviceTag cleo = device(2);
  DeviceTag dora = device(3);
  ConversationIndex room = group();

  Trio() {
    chat(anna, room, 1, 0);
    chat(anna, room, 1, 1);
    chat(anna, room, 1, 2);
    // Who joined late finds tombstones before the own join.
    fetch(bert, room, 1, 1);
    fetch(cleo, room, 1, 2);
  }
};

}  // namespace wavetank::conformance::test
