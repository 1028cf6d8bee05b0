#include "sim/world/message_assembly.hpp"

#include <gtest/gtest.h>

namespace wavetank::sim {
namespace {

using AssemblyStep = MessageAssembly::Step;

AssemblyStep add(MessageAssembly& assembly, std::uint32_t connection, std::uint32_t announced,
                 std::string& bytes, const char* part) {
  bytes = part;
  return assembly.add(connection, announced, bytes);
}

MessageAssembly with(Defect defect) {
  DefectSet defects;
  defects.enable(defect);
  return MessageAssembly(defects);
}

TEST(MessageAssembly, PutsTogetherWhatBelongsTogether) {
  MessageAssembly assembly{DefectSet()};
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, 6, bytes, "one"), AssemblyStep::kMore);
  EXPECT_EQ(add(assembly, 2, 6, bytes, "other"), AssemblyStep::kMore);
  EXPECT_EQ(add(assembly, 1, 6, bytes, "two"), AssemblyStep::kWhole);
  EXPECT_EQ(bytes, "onetwo");
  EXPECT_EQ(add(assembly, 2, 6, bytes, "s"), AssemblyStep::kWhole);
  EXPECT_EQ(bytes, "others");
  EXPECT_EQ(assembly.size(), 0U);
}

TEST(MessageAssembly, RefusesAtOnceWhatWouldBeTooLong) {
  MessageAssembly assembly{DefectSet()};
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, protocol::kMaxFrameBytes + 1, bytes, "x"), AssemblyStep::kRefused);
  EXPECT_EQ(add(assembly, 1, 0xffffffffU, bytes, "x"), AssemblyStep::kRefused);
  EXPECT_EQ(assembly.size(), 0U);
  EXPECT_EQ(add(assembly, 1, protocol::kMaxFrameBytes, bytes, "x"), AssemblyStep::kMore);
}

TEST(MessageAssembly, RefusesMoreThanWasAnnounced) {
  MessageAssembly assembly{DefectSet()};
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, 4, bytes, "abc"), AssemblyStep::kMore);
  EXPECT_EQ(add(assembly, 1, 4, bytes, "de"), AssemblyStep::kRefused);
  EXPECT_EQ(assembly.size(), 0U);
}

TEST(MessageAssembly, ForgetsAConnectionThatIsOver) {
  MessageAssembly assembly{DefectSet()};
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, 4, bytes, "ab"), AssemblyStep::kMore);
  assembly.forget(1);
  EXPECT_EQ(add(assembly, 1, 4, bytes, "cd"), AssemblyStep::kMore);  // somebody else's
  EXPECT_EQ(add(assembly, 1, 4, bytes, "ef"), AssemblyStep::kWhole);
  EXPECT_EQ(bytes, "cdef");
}

// ---- what the seeded defects do

TEST(MessageAssemblyDefects, TheLimitIsCheckedAfterBuffering) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  MessageAssembly assembly = with(Defect::kLimitAfterBuffering);
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, protocol::kMaxFrameBytes + 1, bytes, "x"), AssemblyStep::kMore);
  bytes.assign(protocol::kMaxFrameBytes, 'x');
  EXPECT_EQ(assembly.add(1, protocol::kMaxFrameBytes + 1, bytes), AssemblyStep::kRefused);
}

TEST(MessageAssemblyDefects, PartsShareABuffer) {
  if (!kDefectsCompiled) GTEST_SKIP() << "seeded defects are compiled out";
  MessageAssembly assembly = with(Defect::kPartsShareABuffer);
  std::string bytes;
  EXPECT_EQ(add(assembly, 1, 4, bytes, "ab"), AssemblyStep::kMore);
  EXPECT_EQ(add(assembly, 2, 4, bytes, "cd"), AssemblyStep::kWhole);
  EXPECT_EQ(bytes, "abcd");
}

}  // namespace
}  // namespace wavetank::sim
