#include <cstdlib>

#include "sim/runner/processes.hpp"

namespace wavetank::sim {
namespace {

class Alone final : public Processes {
 public:
  int size() const override { return 1; }
  int rank() const override { return 0; }
  Partner* partner() override { return nullptr; }
  [[noreturn]] void abort(int code) override { std::_Exit(code); }
};

}  // namespace

std::expected<std::unique_ptr<Processes>, std::string> join_processes(int* /*argc*/, char*** /*argv*/) {
  // What Open MPI tells the processes that it starts.
  const char* const size = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (size != nullptr && std::string(size) != "1") {
    return std::unexpected(
        "this program simulates in one process; 'mpirun -n 2 ./wavetank sim run ...' builds and runs "
        "wavetank-sim-mpi");
  }
  return std::make_unique<Alone>();
}

}  // namespace wavetank::sim
