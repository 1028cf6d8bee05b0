// Over MPI: `mpirun -n 2` starts two processes; on two machines these must be of the same kind.
#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "sim/runner/processes.hpp"

namespace wavetank::sim {
namespace {

// A window's news fit into one message, most of them.
constexpr std::size_t kFirst = std::size_t{32} << 10;
// A longer one's rest goes in pieces: MPI counts in int.
constexpr std::size_t kPiece = std::size_t{1} << 30;

// MPI ends all processes when one is gone (its default handler of errors), so no call of it fails here.
class OverMpi final : public Processes, public Partner {
 public:
  OverMpi(int* argc, char*** argv) {
    MPI_Init(argc, argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  }
  ~OverMpi() override { MPI_Finalize(); }
  OverMpi(const OverMpi&) = delete;
  OverMpi& operator=(const OverMpi&) = delete;

  int size() const override { return size_; }
  int rank() const override { return rank_; }
  Partner* partner() override { return size_ == 2 ? this : nullptr; }
  [[noreturn]] void abort(int code) override {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::_Exit(code);
  }

  // The first message has the length of the whole before its first bytes.
  std::string exchange(std::string_view mine) override {
    const std::uint64_t length = mine.size();
    const std::size_t first = std::min(mine.size(), kFirst);
    std::memcpy(sent_.data(), &length, sizeof(length));
    std::memcpy(sent_.data() + sizeof(length), mine.data(), first);
    send_receive(sent_.data(), sizeof(length) + first, received_.data(), received_.size());
    std::uint64_t theirs = 0;
    std::memcpy(&theirs, received_.data(), sizeof(theirs));
    std::string whole(theirs, '\0');
    const std::size_t had = std::min(whole.size(), kFirst);
    std::memcpy(whole.data(), received_.data() + sizeof(theirs), had);
    for (std::size_t sent = first, got = had; sent < mine.size() || got < whole.size();) {
      const std::size_t out = std::min(kPiece, mine.size() - sent);
      const std::size_t in = std::min(kPiece, whole.size() - got);
      send_receive(mine.data() + sent, out, whole.data() + got, in);
      sent += out;
      got += in;
    }
    return whole;
  }

 private:
  void send_receive(const char* out, std::size_t out_size, char* in, std::size_t in_size) const {
    const int other = 1 - rank_;
    MPI_Sendrecv(out, static_cast<int>(out_size), MPI_BYTE, other, 0, in, static_cast<int>(in_size), MPI_BYTE,
                 other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }

  int size_ = 1;
  int rank_ = 0;
  std::array<char, sizeof(std::uint64_t) + kFirst> sent_;
  std::array<char, sizeof(std::uint64_t) + kFirst> received_;
};

}  // namespace

std::expected<std::unique_ptr<Processes>, std::string> join_processes(int* argc, char*** argv) {
  return std::make_unique<OverMpi>(argc, argv);
}

}  // namespace wavetank::sim
