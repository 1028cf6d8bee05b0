#include "reference/store/keyed_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "reference/store/log_store.hpp"

namespace wavetank::store {
namespace {

using StayRows = KeyedRows<MembershipRow, &MembershipRow::join_seq>;

TEST(KeyedRows, FindsWhatASearchFinds) {
  EXPECT_TRUE(rc::check([] {
    StayRows rows;
    std::vector<MembershipRow> plain;
    for (int step = 0; step < 300; ++step) {
      const MembershipRow row{*rc::gen::inRange<UserId>(1, 30), *rc::gen::inRange<std::uint64_t>(1, 10),
                              *rc::gen::inRange<std::uint64_t>(0, 99)};
      const auto same = std::find_if(plain.begin(), plain.end(), [&](const MembershipRow& r) {
        return r.user == row.user && r.join_seq == row.join_seq;
      });
      MembershipRow* found = rows.find(row);
      RC_ASSERT((found != nullptr) == (same != plain.end()));
      if (found != nullptr) {
        RC_ASSERT(found->leave_seq == same->leave_seq);
        found->leave_seq = same->leave_seq = row.leave_seq;
      } else {
        rows.append(row);
        plain.push_back(row);
      }
      if (*rc::gen::inRange(0, 4) == 0) {
        rows.take_newest();
        plain.pop_back();
      }
      RC_ASSERT(rows.all().size() == plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) RC_ASSERT(rows.all()[i].user == plain[i].user);
    }
  }));
}

TEST(KeyedRows, AreFoundFromTheFirstToTheLastBeyondWhatIsSearched) {
  StayRows rows;
  for (std::uint64_t i = 1; i <= 3 * StayRows::kSearched; ++i) {
    EXPECT_EQ(rows.find({i, 5, 0}), nullptr);
    rows.append({i, 5, 0});
    ASSERT_NE(rows.find({1, 5, 0}), nullptr);
    EXPECT_EQ(rows.find({i, 5, 0})->user, i);
  }
  for (std::uint64_t i = 3 * StayRows::kSearched; i >= 1; --i) {
    rows.take_newest();
    EXPECT_EQ(rows.find({i, 5, 0}), nullptr);
  }
}

}  // namespace
}  // namespace wavetank::store
