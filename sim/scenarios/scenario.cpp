#include "sim/scenarios/scenario.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "faults/plan.hpp"
#include "reference/environment/randomness.hpp"
#include "reference/protocol/frames.hpp"

namespace wavetank::scenarios {
namespace {

namespace pb = google::protobuf;
using Failure = std::unexpected<std::string>;

// Keeps the first error of a parse, as file:line:column.
class FirstError : public pb::io::ErrorCollector {
 public:
  explicit FirstError(std::string file) : file_(std::move(file)) {}
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}:{}:{}: {}", file_, line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string file_;
  std::string text_;
};

std::string field_names(const pb::Descriptor& descriptor) {
  std::string names;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    if (!names.empty()) names += ", ";
    names += descriptor.field(i)->name();
  }
  return names;
}

// "region[2]" -> ("region", 2); without brackets the index is -1.
std::pair<std::string, int> split_index(std::string_view part) {
  const auto bracket = part.find('[');
  if (bracket == std::string_view::npos || part.back() != ']') return {std::string(part), -1};
  int index = -1;
  const std::string_view digits = part.substr(bracket + 1, part.size() - bracket - 2);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return {std::string(part), -1};
  return {std::string(part.substr(0, bracket)), index};
}

std::expected<void, std::string> set_scalar(pb::Message& message, const pb::FieldDescriptor& field,
                                            const std::string& value) {
  if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING) {
    message.GetReflection()->SetString(&message, &field, value);
    return {};
  }
  // The text-format parser knows how every other scalar and every enum is written. Space would let a second
  // field in.
  const bool one_word = value.find_first_of(" \t\r\n,;#") == std::string::npos;
  std::unique_ptr<pb::Message> holder(message.New());
  FirstError errors("value");
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!one_word || !parser.ParseFromString(field.name() + ": " + value, holder.get())) {
    return Failure(fmt::format("'{}' is not a value of {} ({})", value, field.name(), field.cpp_type_name()));
  }
  message.MergeFrom(*holder);
  return {};
}

std::expected<void, std::string> read_text_format(const std::filesystem::path& path, pb::Message& message) {
  std::ifstream in(path);  // house: read before the world starts
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Failure(fmt::format("{}: cannot be read", path.string()));
  FirstError errors(path.string());
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text.str(), &message)) return Failure(errors.text());
  return {};
}

// A field that --set takes whole, by the name of a shipped partial scenario.
struct Overlay {
  std::string_view field;
  std::string_view folder;  // below sim/scenarios
};
constexpr Overlay kOverlays[] = {{"profile", "profiles"}, {"fidelity", "fidelities"}};

const Overlay* overlay_of(std::string_view setting) {
  const auto equals = setting.find('=');
  if (equals == std::string_view::npos) return nullptr;
  const auto* found = std::find_if(std::begin(kOverlays), std::end(kOverlays), [&](const Overlay& overlay) {
    return overlay.field == setting.substr(0, equals);
  });
  return found == std::end(kOverlays) ? nullptr : found;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txtpb") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::expected<void, std::string> apply_overlay(Scenario& scenario, const Overlay& overlay,
                                               const std::string& name) {
  const std::filesystem::path folder = data_root() / "sim/scenarios" / overlay.folder;
  const std::vector<std::string> names = names_in(folder);
  if (!std::binary_search(names.begin(), names.end(), name)) {
    return Failure(fmt::format("--set {}={}: there is no such {}; shipped are: {}", overlay.field, name,
                               overlay.field, fmt::join(names, ", ")));
  }
  Scenario partial;
  if (const auto read = read_text_format(folder / (name + ".txtpb"), partial); !read) return read;
  scenario.MergeFrom(partial);
  return {};
}

struct Range {
  const char* path;
  std::int64_t value;
  std::int64_t low;
  std::int64_t high;
};

std::string out_of_range(std::initializer_list<Range> ranges) {
  for (const Range& range : ranges) {
    if (range.value < range.low || range.value > range.high) {
      return fmt::format("{} must be within {} and {}, is {}", range.path, range.low, range.high,
                         range.value);
    }
  }
  return {};
}

}  // namespace

std::filesystem::path data_root() { return WAVETANK_SOURCE_DIR; }

std::vector<Shipped> shipped_scenarios() {
  std::vector<Shipped> list;
  for (const auto& entry : std::filesystem::directory_iterator(data_root() / "sim/scenarios")) {
    if (entry.path().extension() != ".txtpb") continue;
    const auto scenario = load_scenario(entry.path().string());
    list.push_back({entry.path().stem().string(), scenario ? scenario->description() : scenario.error()});
  }
  std::sort(list.begin(), list.end(), [](const Shipped& a, const Shipped& b) { return a.name < b.name; });
  return list;
}

std::expected<Scenario, std::string> load_scenario(const std::string& name_or_file) {
  std::filesystem::path path = name_or_file;
  if (!std::filesystem::is_regular_file(path))
    path = data_root() / "sim/scenarios" / (name_or_file + ".txtpb");
  if (!std::filesystem::is_regular_file(path)) {
    std::string names;
    if (name_or_file.find('/') == std::string::npos && name_or_file.find(".txtpb") == std::string::npos) {
      for (const auto& entry : std::filesystem::directory_iterator(data_root() / "sim/scenarios")) {
        if (entry.path().extension() == ".txtpb") names += " " + entry.path().stem().string();
      }
    }
    return Failure(
        fmt::format("{}: no such scenario{}", name_or_file, names.empty() ? "" : "; shipped are:" + names));
  }
  Scenario scenario;
  if (const auto read = read_text_format(path, scenario); !read) return Failure(read.error());
  if (!scenario.has_name()) scenario.set_name(path.stem().string());
  return scenario;
}

std::expected<ProbeSet, std::string> load_probe_set(const std::string& file) {
  ProbeSet set;
  if (const auto read = read_text_format(file, set); !read) return Failure(read.error());
  if (set.run_size() == 0) return Failure(fmt::format("{}: there is no run in it", file));
  for (const ProbeSet::Run& run : set.run()) {
    if (run.scenario().empty()) return Failure(fmt::format("{}: a run names no scenario", file));
    if (run.first_seed() < 0 || run.seeds() < 1 || run.seeds() > 1000)
      return Failure(fmt::format("{}: {}: seeds must be within 1 and 1000, the first not below 0", file,
                                 run.scenario()));
  }
  return set;
}

std::expected<void, std::string> apply_setting(Scenario& scenario, std::string_view setting) {
  const auto equals = setting.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Failure(fmt::format("--set {}: expected path=value, for example protocol.page_limit=50", setting));
  }
  if (const Overlay* overlay = overlay_of(setting); overlay != nullptr)
    return apply_overlay(scenario, *overlay, std::string(setting.substr(equals + 1)));
  std::string_view path = setting.substr(0, equals);
  const std::string value(setting.substr(equals + 1));
  pb::Message* message = &scenario;
  while (true) {
    const auto dot = path.find('.');
    const auto [name, index] = split_index(path.substr(0, dot));
    const pb::FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) {
      return Failure(fmt::format("--set {}: no field '{}' in {}; there are: {}", setting, name,
                                 message->GetDescriptor()->name(), field_names(*message->GetDescriptor())));
    }
    const bool last = dot == std::string_view::npos;
    const pb::Reflection& reflection = *message->GetReflection();
    if (field->is_repeated() && (index < 0 || index >= reflection.FieldSize(*message, field))) {
      return Failure(fmt::format("--set {}: {} has {} elements; say which, for example {}[0]", setting, name,
                                 reflection.FieldSize(*message, field), name));
    }
    if (!field->is_repeated() && index >= 0) {
      return Failure(fmt::format("--set {}: {} is not a list", setting, name));
    }
    const bool is_message = field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
    if (last) {
      if (is_message || field->is_repeated()) {
        return Failure(fmt::format("--set {}: {} is not a single value; go on with a dot: {}", setting, name,
                                   is_message ? field_names(*field->message_type()) : ""));
      }
      const auto done = set_scalar(*message, *field, value);
      if (!done) return Failure(fmt::format("--set {}: {}", setting, done.error()));
      return {};
    }
    if (!is_message) return Failure(fmt::format("--set {}: {} has no fields", setting, name));
    message = field->is_repeated() ? reflection.MutableRepeatedMessage(message, field, index)
                                   : reflection.MutableMessage(message, field);
    path = path.substr(dot + 1);
  }
}

bool is_overlay(std::string_view setting) { return overlay_of(setting) != nullptr; }

std::vector<std::string> overlay_names(std::string_view field) {
  const auto* overlay = overlay_of(std::string(field) + "=");
  return overlay == nullptr ? std::vector<std::string>{}
                            : names_in(data_root() / "sim/scenarios" / overlay->folder);
}

std::expected<void, std::string> replace_plan(Scenario& scenario, const std::string& file) {
  faults::Plan plan;
  if (const auto read = read_text_format(file, plan); !read) return read;
  *scenario.mutable_faults() = std::move(plan);
  scenario.clear_outages();
  scenario.clear_moves();
  scenario.clear_storm();
  return {};
}

std::int64_t nodes_of_role(const Scenario& scenario, std::int64_t nodes) {
  const std::int64_t meant_for = scenario.topology().for_devices();
  if (meant_for == 0 || scenario.devices() <= meant_for) return nodes;
  return (nodes * scenario.devices() + meant_for - 1) / meant_for;
}

std::expected<void, std::string> validate(const Scenario& s) {
  if (s.topology().region_size() == 0) return Failure("topology.region: at least one region is needed");
  if (s.cohort_size() == 0) return Failure("cohort: at least one access network is needed");
  const Population& p = s.population();
  std::string wrong = out_of_range({
      {"run_s", s.run_s(), 1, 1'000'000},
      {"messages", s.messages(), 0, 1'000'000'000},
      {"devices", s.devices(), 2, 60'000'000},
      {"topology.buckets_per_region", s.topology().buckets_per_region(), 1, 65536},
      {"topology.region", s.topology().region_size(), 1, 200},
      {"topology.for_devices", s.topology().for_devices(), 0, 1LL << 32},
      {"population.send_interval_ms", p.send_interval_ms(), 1, 86'400'000},
      {"population.conversations", p.conversations(), 1, 1000},
      {"population.payload_bytes", p.payload_bytes(), 0, 65536},
      {"population.users", p.users(), 2, 1'000'000},
      {"population.groups", p.groups(), 0, 100'000},
      {"population.group_share_percent", p.group_share_percent(), 0, 100},
      {"population.group_circle", p.group_circle(), 1, 1'000'000},
      {"population.two_devices_percent", p.two_devices_percent(), 0, 100},
      {"population.three_devices_percent", p.three_devices_percent(), 0, 100 - p.two_devices_percent()},
      {"population.reply_min_ms", p.reply_min_ms(), 0, p.reply_max_ms()},
      {"population.read_min_ms", p.read_min_ms(), 0, p.read_max_ms()},
      {"population.early_leave_percent", p.early_leave_percent(), 0, 100},
      {"population.session_factor", p.session_factor(), 1, 100'000},
      {"population.always_on_percent", p.always_on_percent(), 0, 100},
      {"protocol.heartbeat_interval_ms", s.protocol().heartbeat_interval_ms(), 100, 3'600'000},
      {"protocol.heartbeat_timeout_ms", s.protocol().heartbeat_timeout_ms(),
       s.protocol().heartbeat_interval_ms(), 7'200'000},
      {"protocol.page_limit", s.protocol().page_limit(), 1, 1000},
      {"protocol.outbox_window", s.protocol().outbox_window(), s.protocol().outbox_batch(), 1'000'000},
      {"protocol.outbox_batch", s.protocol().outbox_batch(), 1, 10'000},
      {"protocol.inline_limit", s.protocol().inline_limit(), 0, 1'000'000},
      {"protocol.receipt_delay_ms", s.protocol().receipt_delay_ms(), 0, 60'000},
      {"protocol.resume_window_ms", s.protocol().resume_window_ms(), 0, 86'400'000},
      {"protocol.replay_ring_frames", s.protocol().replay_ring_frames(), 0, 1'000'000},
      {"protocol.replay_ring_bytes", s.protocol().replay_ring_bytes(), 0, 1 << 30},
      {"protocol.logins_per_s", s.protocol().logins_per_s(), 0, 1'000'000},
      {"protocol.typing_ttl_ms", s.protocol().typing_ttl_ms(), 0, 60'000},
      {"protocol.presence_lease_ms", s.protocol().presence_lease_ms(), 0, 3'600'000},
      {"protocol.presence_refresh_ms", s.protocol().presence_refresh_ms(), 100, 3'600'000},
      {"protocol.last_seen_window_ms", s.protocol().last_seen_window_ms(), 0, 3'600'000},
      {"population.privacy_permille", p.privacy_permille(), 0, 1000},
      {"population.privacy_gap_ms", p.privacy_gap_ms(), 1, 86'400'000},
      {"client.typing_debounce_ms", s.client().typing_debounce_ms(), 0, 60'000},
      {"client.typing_refresh_ms", s.client().typing_refresh_ms(), 1, 60'000},
      {"protocol.sends_per_s", s.protocol().sends_per_s(), 0, 1'000},
      {"protocol.send_burst", s.protocol().send_burst(), 1, 100'000},
      {"protocol.push_queue_frames", s.protocol().push_queue_frames(), 0, 1'000'000},
      {"protocol.push_queue_bytes", s.protocol().push_queue_bytes(), 1, 1 << 30},
      {"protocol.slow_consumer_ms", s.protocol().slow_consumer_ms(), 1, 3'600'000},
      {"protocol.retain_entries", s.protocol().retain_entries(), 0, 1'000'000'000},
      {"protocol.retain_changes", s.protocol().retain_changes(), 0, 1'000'000'000},
      {"protocol.revoke_within_ms", s.protocol().revoke_within_ms(), 0, 3'600'000},
      {"protocol.token_life_ms", s.protocol().token_life_ms(), 0, 1'000'000'000},
      {"protocol.move_chunk_rows", s.protocol().move_chunk_rows(), 1, 4096},
      {"protocol.move_stop_ms", s.protocol().move_stop_ms(), 1, 600'000},
      {"protocol.hello_within_ms", s.protocol().hello_within_ms(), 100, 600'000},
      {"population.hostile_peers", p.hostile_peers(), 0, 1'000},
      {"population.hostile_gap_ms", p.hostile_gap_ms(), 1, 86'400'000},
      {"protocol.park_after", s.protocol().park_after(), 0, 1'000'000},
      {"protocol.hot_window_entries", s.protocol().hot_window_entries(), 0, 1'000'000},
      {"protocol.hot_window_bytes", s.protocol().hot_window_bytes(), 0, 1 << 30},
      {"protocol.pointer_window_ms", s.protocol().pointer_window_ms(), 0, 600'000},
      {"costs.per_read_ns", s.costs().per_read_ns(), 0, 1'000'000'000},
      {"costs.per_read_row_ns", s.costs().per_read_row_ns(), 0, 1'000'000'000},
      {"protocol.standby_copies", s.protocol().standby_copies(), 0, 1},
      {"client.keep_sent", s.client().keep_sent(), 0, 1'000'000},
      {"population.poison_permille", p.poison_permille(), 0, 1000},
      {"population.poison_devices_permille", p.poison_devices_permille(), 0, 1000},
      {"moves.count", s.moves().count(), 0, 100'000},
      {"moves.window_start_s", s.moves().window_start_s(), 0, s.run_s()},
      {"moves.window_end_s", s.moves().window_end_s(), 0, s.run_s()},
      {"client.fetch_limit", s.client().fetch_limit(), 1, 1000},
      {"client.gap_buffer", s.client().gap_buffer(), 1, 1'000'000},
      {"client.sync_limit", s.client().sync_limit(), 1, 1000},
      {"population.reply_max_ms", p.reply_max_ms(), 0, 86'400'000},
      {"population.reply_wait_ms", p.reply_wait_ms(), 0, 86'400'000},
      {"population.read_max_ms", p.read_max_ms(), 0, 86'400'000},
      {"population.mischief_permille", p.mischief_permille(), 0, 1000},
      {"population.settings_permille", p.settings_permille(), 0, 1000},
      {"population.private_reads_permille", p.private_reads_permille(), 0, 1000},
      {"population.setting_gap_ms", p.setting_gap_ms(), 1, 86'400'000},
      {"population.typing_permille", p.typing_permille(), 0, 1000},
      {"population.watchers_permille", p.watchers_permille(), 0, 1000},
      {"population.flood_permille", p.flood_permille(), 0, 1000},
      {"population.flood_gap_ms", p.flood_gap_ms(), 1, 86'400'000},
      {"population.flood_messages", p.flood_messages(), 1, 10'000},
      {"population.reactions_permille", p.reactions_permille(), 0, 1000},
      {"versions.servers", s.versions().servers(), 1, protocol::kNextVersion},
      {"versions.upgraded_servers", s.versions().upgraded_servers(), 1, protocol::kNextVersion},
      {"versions.devices", s.versions().devices(), 1, protocol::kNextVersion},
      {"versions.oldest_of_devices", s.versions().oldest_of_devices(), 1, s.versions().devices()},
      {"versions.older_devices_features", s.versions().older_devices_features(), 0,
       static_cast<std::int64_t>(protocol::kCoreFeatures)},
      {"versions.older_devices_permille", s.versions().older_devices_permille(), 0, 1000},
      {"population.removals_permille", p.removals_permille(), 0, 1000},
      {"population.removal_gap_ms", p.removal_gap_ms(), 1, 86'400'000},
      {"population.no_renewal_permille", p.no_renewal_permille(), 0, 1000},
      {"population.gap_cap_s", p.gap_cap_s(), 1, 1'000'000'000},
      {"population.campus_messages", p.campus_messages(), 1, 100'000'000},
      {"population.ramp_s", p.ramp_s(), 0, s.run_s()},
      {"transport.retransmit_min_ms", s.transport().retransmit_min_ms(), 1, 60'000},
      {"transport.user_timeout_ms", s.transport().user_timeout_ms(), 1, 86'400'000},
      {"transport.node_timeout_ms", s.transport().node_timeout_ms(), 1, 86'400'000},
      {"transport.node_redial_ms", s.transport().node_redial_ms(), 1, 86'400'000},
      {"clocks.drift_ppm", s.clocks().drift_ppm(), 0, 10'000},
      {"clocks.restart_step_ms", s.clocks().restart_step_ms(), 0, 86'400'000},
      {"costs.gateway_batch", s.costs().gateway_batch(), 1, 100'000},
      {"costs.shard_batch", s.costs().shard_batch(), 1, 100'000},
      {"costs.inbox_limit", s.costs().inbox_limit(), 1, 100'000'000},
      {"storm.share_permille", s.storm().share_permille(), 0, 1000},
      {"storm.at_permille", s.storm().at_permille(), 0, 999},
      {"admission_s", s.admission_s(), 0, 100'000},
      {"population.connections_meant", p.connections_meant(), 1, 10'000'000'000},
      {"population.slice_start_min", p.slice_start_min(), 0, 24 * 60 - 1},
      {"population.send_peak_uhz", p.send_peak_uhz(), 0, 1'000'000'000},
      {"population.phone_permille", p.phone_permille(), 0, 1000},
      {"population.phone_session_s", p.phone_session_s(), 1, 1'000'000},
      {"population.desktop_session_s", p.desktop_session_s(), 1, 1'000'000},
      {"population.away_s", p.away_s(), 1, 1'000'000},
      {"population.group_sends_permille", p.group_sends_permille(), 0, 1000},
      {"population.group_median_milli", p.group_median_milli(), 1, 1'000'000'000},
      {"population.group_sigma_milli", p.group_sigma_milli(), 0, 10'000},
      {"population.group_recipients_max", p.group_recipients_max(), 1, 1'000'000},
      {"population.users_per_group", p.users_per_group(), 1, 1'000'000},
      {"population.contacts_median_milli", p.contacts_median_milli(), 1, 1'000'000'000},
      {"population.contacts_sigma_milli", p.contacts_sigma_milli(), 0, 10'000},
      {"population.contacts_max", p.contacts_max(), 1, 1000},
      {"population.answers_permille", p.answers_permille(), 0, 1000},
      {"population.text_median_milli", p.text_median_milli(), 1, 1'000'000'000},
      {"population.text_sigma_milli", p.text_sigma_milli(), 0, 10'000},
      {"population.text_max", p.text_max(), 1, 65536 - p.envelope_bytes()},
      {"population.envelope_bytes", p.envelope_bytes(), 0, 65535},
      {"population.photo_ppm", p.photo_ppm(), 0, 1'000'000},
      {"population.voice_ppm", p.voice_ppm(), 0, 1'000'000 - p.photo_ppm()},
      {"population.video_ppm", p.video_ppm(), 0, 1'000'000 - p.photo_ppm() - p.voice_ppm()},
      {"population.media_reference_bytes", p.media_reference_bytes(), 0, 65536 - p.envelope_bytes()},
      {"population.read_median_ms", p.read_median_ms(), 0, 86'400'000},
      {"population.read_sigma_milli", p.read_sigma_milli(), 0, 10'000},
      {"population.typing_events_permille", p.typing_events_permille(), 0, 2000},
      {"population.chat_open_s", p.chat_open_s(), 0, 86'400},
      {"population.channels", p.channels(), 0, 1000},
      {"population.channel_members", p.channel_members(), 2, 1'000'000},
      {"population.channel_sends_ppm", p.channel_sends_ppm(), 0,
       p.channels() > 0 ? 1'000'000 - std::int64_t{p.group_sends_permille()} * 1000 : 1'000'000},
      {"checks.converge_bound_s", s.checks().converge_bound_s(), 1, 100'000},
      {"checks.audit_wave", s.checks().audit_wave(), 1, 1 << 25},
      {"checks.operation_bound_s", s.checks().operation_bound_s(), 0, 100'000},
      {"checks.connect_bound_s", s.checks().connect_bound_s(), 1, 100'000},
      {"checks.recover_bound_s", s.checks().recover_bound_s(), 1, 100'000},
      {"checks.recover_permille_min", s.checks().recover_permille_min(), 0, 1000},
      {"checks.fewest_operations", s.checks().fewest_operations(), 1, 1'000'000'000},
      {"checks.fewest_of_a_pair", s.checks().fewest_of_a_pair(), 0, 1'000'000'000},
  });
  std::int64_t weights = 0;
  for (const Region& region : s.topology().region()) {
    if (!wrong.empty()) break;
    wrong = out_of_range(
        {{"region.gateways", region.gateways(), 1, 1000},
         {"region.shards", region.shards(), 1, 1000},
         {"region.weight", region.weight(), 0, 1'000'000},
         {"region.gateways, as many as so many devices need", nodes_of_role(s, region.gateways()), 1, 1000},
         {"region.shards, as many as so many devices need", nodes_of_role(s, region.shards()), 1, 1000}});
    weights += region.weight();
  }
  if (wrong.empty() && weights == 0) wrong = "region.weight: at least one must be above 0";
  weights = 0;
  for (const Cohort& cohort : s.cohort()) {
    if (wrong.empty()) wrong = out_of_range({{"cohort.weight", cohort.weight(), 0, 1'000'000}});
    weights += cohort.weight();
  }
  if (wrong.empty() && weights == 0) wrong = "cohort.weight: at least one must be above 0";
  if (wrong.empty()) wrong = faults::check_plan(s.faults(), s.run_s() * 1000);
  if (wrong.empty() && s.protocol().standby_copies() > 0 && s.moves().count() > 0)
    wrong = "protocol.standby_copies: buckets that have standby copies do not move (moves.count)";
  for (const faults::Fault& fault : s.faults().fault()) {
    if (!wrong.empty()) break;
    const bool has_copies = s.protocol().standby_copies() > 0;
    if (fault.kind() == faults::TAKE_OVER && !has_copies)
      wrong = fmt::format("fault '{}': nobody has a copy to take over; see protocol.standby_copies",
                          fault.name());
    if (fault.kind() == faults::MOVE_BUCKET && has_copies)
      wrong = fmt::format("fault '{}': buckets that have standby copies do not move", fault.name());
    if (fault.kind() == faults::MOVE_BUCKET && fault.bucket() >= s.topology().buckets_per_region())
      wrong = fmt::format("fault '{}': there is no bucket {}; topology.buckets_per_region is {}",
                          fault.name(), fault.bucket(), s.topology().buckets_per_region());
  }
  if (wrong.empty() && p.workload() == Population::REGION)
    wrong = out_of_range({{"population.ramp_s", p.ramp_s(), 1, s.run_s() - 1}});
  if (wrong.empty() && p.hostile_peers() > 0 && s.fidelity().wire() != Fidelity::BYTES)
    wrong = "population.hostile_peers sends bytes that are no frame: it needs fidelity.wire=BYTES";
  if (!wrong.empty()) return Failure(wrong);
  return {};
}

std::uint64_t scenario_digest(const Scenario& scenario) {
  std::string text;
  pb::TextFormat::PrintToString(scenario, &text);
  std::uint64_t hash = mix64(text.size());
  for (const char c : text) hash = mix64(hash ^ static_cast<unsigned char>(c));
  return hash;
}

}  // namespace wavetank::scenarios
