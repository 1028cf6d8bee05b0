#include "sim/runner/compare.hpp"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "conformance/history/reader.hpp"
#include "reference/protocol/codec.hpp"
#include "reports/comparison_builder.hpp"
#include "reports/external_program.hpp"
#include "reports/json.hpp"
#include "sim/runner/first_difference.hpp"
#include "sim/runner/result_builder.hpp"
#include "sim/runner/runner.hpp"

namespace wavetank::sim {
namespace {

using Failure = std::unexpected<CompareError>;

// A folder for what another program reads and writes, where one is wanted; gone at the end.
class Scratch {
 public:
  explicit Scratch(bool wanted) {
    if (!wanted) return;
    std::string name = (std::filesystem::temp_directory_path() / "wavetank-compare-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }  // empty when it could not be made

 private:
  std::filesystem::path path_;
};

// One side, in this process or in another program.
class Side {
 public:
  Side(char name, const Design& design) : name_(name), design_(design), scratch_(!design.program.empty()) {
    if (design.program.empty()) return;
    std::string text;
    google::protobuf::TextFormat::PrintToString(design.scenario, &text);
    std::ofstream(scratch_.path() / "scenario.txtpb") << text;
  }

  std::expected<reports::Result, CompareError> run(std::uint64_t seed) const {
    std::expected<reports::Result, CompareError> result =
        design_.program.empty() ? run_here(seed) : run_there(seed);
    if (result) result->command = fmt::format("{} --seed {}", design_.command, seed);
    return result;
  }

  // The history of one seed, as often as asked for. The first error keeps its exit code in `error`.
  HistoryRun history(std::uint64_t seed, CompareError& error) const {
    return [this, seed, &error](history::Sink& sink) -> std::expected<void, std::string> {
      if (design_.program.empty()) {
        auto world = World::make(design_.scenario, WorldOptions{seed, design_.defects, {}, {}, 1}, sink);
        if (!world) return std::unexpected(world.error());
        (*world)->run();
        return {};
      }
      const std::string file = (scratch_.path() / "history.wth").string();
      if (const auto ran = spawn(seed, {"--history", file}); !ran) {
        error = ran.error();
        return std::unexpected(error.text);
      }
      const auto read = history::read_file(file, [&sink](const history::Record& record) { sink.on(record); });
      std::filesystem::remove(file);
      if (!read) return std::unexpected(read.error());
      return {};
    };
  }

 private:
  std::expected<reports::Result, CompareError> run_here(std::uint64_t seed) const {
    RunRequest request;
    request.scenario = design_.scenario;
    request.seed = seed;
    request.defects = design_.defects;
    request.defect = design_.defect;
    request.tell_stories = false;
    auto outcome = run_scenario(request);
    if (!outcome) return Failure(CompareError{reports::kUsage, outcome.error()});
    return std::move(outcome->result);
  }

  std::expected<reports::Result, CompareError> run_there(std::uint64_t seed) const {
    if (const auto ran = spawn(seed, {"--out", scratch_.path().string()}); !ran) return Failure(ran.error());
    const std::filesystem::path file = scratch_.path() / "result.json";
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::filesystem::remove(file);
    try {
      return reports::parse_result_json(text.str());
    } catch (const reports::ResultError& error) {
      return Failure(CompareError{reports::kTargetDied,
                                  fmt::format("side {}: {} left a result.json that cannot be read: {}", name_,
                                              design_.program, error.what())});
    }
  }

  std::expected<void, CompareError> spawn(std::uint64_t seed, const std::vector<std::string>& more) const {
    if (scratch_.path().empty())
      return Failure(CompareError{reports::kInternal, "no folder for temporary files can be made"});
    std::vector<std::string> arguments{"run", (scratch_.path() / "scenario.txtpb").string(), "--seed",
                                       std::to_string(seed), "--no-progress"};
    if (!design_.defect.empty()) arguments.insert(arguments.end(), {"--defect", design_.defect});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto end = reports::run_program(design_.program, arguments, scratch_.path() / "errors");
    if (!end) return Failure(CompareError{reports::kUsage, fmt::format("side {}: {}", name_, end.error())});
    if (end->signal == 0 && end->exit_code <= reports::kInconclusive) return {};
    const std::string how = end->signal != 0 ? fmt::format("was killed by signal {}", end->signal)
                                             : fmt::format("ended with exit code {}", end->exit_code);
    const bool usage = end->signal == 0 && end->exit_code == reports::kUsage;
    return Failure(CompareError{usage ? reports::kUsage : reports::kTargetDied,
                                fmt::format("side {}: {} {}{}{}", name_, design_.program, how,
                                            end->first_line.empty() ? "" : ": ", end->first_line)});
  }

  char name_;
  const Design& design_;
  Scratch scratch_;
};

reports::ComparedSide described(const Design& design) {
  return {design.label, design.program, design.defect};
}

}  // namespace

std::expected<reports::Comparison, CompareError> compare(const CompareRequest& request) {
  const Side a('A', request.a);
  const Side b('B', request.b);
  reports::ComparisonBuilder builder;
  std::optional<std::uint64_t> differing;
  for (std::uint64_t i = 0; i < request.seeds; ++i) {
    const std::uint64_t seed = request.first_seed + i;
    if (request.progress) request.progress(seed, 'A');
    const auto ours = a.run(seed);
    if (!ours) return Failure(ours.error());
    if (request.progress) request.progress(seed, 'B');
    const auto theirs = b.run(seed);
    if (!theirs) return Failure(theirs.error());
    builder.add(seed, *ours, *theirs);
    if (!differing && ours->trace_hash != theirs->trace_hash) differing = seed;
  }
  reports::Comparison comparison;
  comparison.scenario = request.a.scenario.name();
  if (request.b.scenario.name() != comparison.scenario)
    comparison.scenario += " against " + request.b.scenario.name();
  comparison.command = request.command;
  comparison.a = described(request.a);
  comparison.b = described(request.b);
  builder.finish(request.bounds, comparison);

  // Equal traces have equal histories, so without a wish there is nothing to look for.
  const std::uint64_t seed = differing.value_or(request.first_seed);
  comparison.first_difference.emplace();
  if (differing || request.conversation) {
    if (request.progress) request.progress(seed, '*');
    CompareError error;
    auto first = first_difference(a.history(seed, error), b.history(seed, error), request.conversation);
    if (!first) {
      error.text = first.error();
      return Failure(error);
    }
    comparison.first_difference = std::move(*first);
  }
  comparison.first_difference->seed = seed;
  return comparison;
}

std::vector<std::string> measure_names(const scenarios::Scenario& scenario) {
  reports::Result every;
  std::vector<std::string> cohorts{"all"};
  for (const auto& cohort : scenario.cohort()) cohorts.push_back(cohort.profile());
  for (const std::string_view metric : latency_metrics()) {
    for (const std::string_view phase : phase_names()) {
      for (const std::string& cohort : cohorts) {
        reports::Latency latency;
        latency.metric = metric;
        latency.phase = phase;
        latency.cohort = cohort;
        latency.histogram.record(1);
        every.latencies.push_back(std::move(latency));
      }
    }
  }
  add_counters(WorldFacts(), conformance::JudgeMemory(), every);
  for (const char* link : {"device", "server"}) {
    for (std::size_t body = 1; body < FrameCounts::kBodies; ++body)
      every.frames.push_back({link, std::string(protocol::body_name(body)), 0, 0});
  }
  std::vector<std::string> names;
  for (const reports::Measure& measure : reports::measures_of(every)) {
    if (measure.better == reports::Better::kLower) names.push_back(measure.name);
  }
  return names;
}

}  // namespace wavetank::sim
