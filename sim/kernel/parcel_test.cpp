#include "sim/kernel/parcel.hpp"

#include <gtest/gtest.h>

namespace wavetank::sim {
namespace {

TEST(Parcel, IsTakenOutAsItWasPutIn) {
  Parcel parcel;
  const std::vector<std::uint32_t> numbers{1, 2, 3};
  parcel.put(std::uint8_t{7});
  parcel.put_all(std::span(numbers));
  parcel.put_text("text");
  parcel.put_text("");
  parcel.put(std::int64_t{-1});
  Unpacker in(parcel.bytes());
  EXPECT_EQ(in.take<std::uint8_t>(), 7);
  EXPECT_EQ(in.take_all<std::uint32_t>(), numbers);
  EXPECT_EQ(in.take_text(), "text");
  EXPECT_EQ(in.take_text(), "");
  EXPECT_FALSE(in.empty());
  EXPECT_EQ(in.take<std::int64_t>(), -1);
  EXPECT_TRUE(in.empty());
  parcel.clear();
  EXPECT_TRUE(parcel.bytes().empty());
}

TEST(Parcel, ThatIsCutOffSaysSo) {
  Parcel parcel;
  parcel.put(std::uint32_t{5});
  EXPECT_THROW(Unpacker(parcel.bytes()).take<std::uint64_t>(), std::length_error);
  Parcel list;
  list.put(~std::size_t{0});  // of so many there are none
  EXPECT_THROW(Unpacker(list.bytes()).take_all<std::uint64_t>(), std::length_error);
  EXPECT_THROW(Unpacker(list.bytes()).take_text(), std::length_error);
}

}  // namespace
}  // namespace wavetank::sim
