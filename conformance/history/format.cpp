#include "conformance/history/format.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

#include "conformance/history/packing.hpp"

namespace wavetank::history {

namespace {

void put_texts(std::string& out, const std::vector<std::string>& texts) {
  put_number(out, texts.size());
  for (const std::string& text : texts) put_text(out, text);
}

std::vector<std::string> take_texts(Unpacker& in) {
  std::vector<std::string> texts;
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) texts.push_back(in.text());
  return texts;
}

}  // namespace

std::string pack_header(const Header& header) {
  const conformance::JudgeConfig& config = header.judged_by;
  std::string out;
  put_text(out, header.scenario);
  put_number(out, header.seed);
  put_text(out, header.defect);
  put_text(out, header.command);
  put_number(out, config.required.size());
  for (const conformance::RequiredProperty& required : config.required) {
    put_text(out, required.id);
    put_number(out, required.minimum);
  }
  put_signed(out, config.converge_bound);
  put_signed(out, config.presence_off_bound);
  put_signed(out, config.presence_on_bound);
  put_signed(out, config.service_bound);
  put_number(out, config.fewest_samples);
  put_signed(out, config.availability_bound);
  put_number(out, config.availability_per_million);
  put_texts(out, config.cohorts);
  put_texts(out, config.judged_cohorts);
  put_number(out, config.gateway_region.size());
  for (const std::uint32_t region : config.gateway_region) put_number(out, region);
  put_signed(out, config.hole_bound);
  put_number(out, config.final_audit ? 1 : 0);
  put_number(out, config.history_bytes);
  put_number(out, config.unverified_per_mille);
  put_signed(out, config.operation_bound);
  put_signed(out, config.connect_bound);
  put_number(out, config.fewest_operations);
  put_number(out, config.sends_per_s);
  put_number(out, config.send_burst);
  put_number(out, config.push_queue_frames);
  put_number(out, config.push_queue_bytes);
  put_signed(out, config.slow_bound);
  put_number(out, config.retain_entries);
  put_number(out, config.retain_changes);
  put_signed(out, config.recover_bound);
  put_number(out, config.recover_per_million);
  put_number(out, config.fewest_of_a_pair);
  put_signed(out, config.revoke_bound);
  put_number(out, config.park_after);
  put_signed(out, config.last_seen_lag);
  put_signed(out, config.last_seen_skew);
  put_signed(out, config.privacy_bound);
  put_signed(out, config.fork_window);
  // Its length first, so that a reader knows when it has it all.
  std::string framed;
  put_text(framed, out);
  return framed;
}

bool unpack_header(std::string_view bytes, Header& header, std::size_t& taken, std::uint8_t format) {
  Unpacker frame(bytes);
  const std::string body = frame.text();
  if (!frame.ok()) return false;
  taken = bytes.size() - frame.rest().size();
  Unpacker in(body);
  conformance::JudgeConfig& config = header.judged_by;
  header.scenario = in.text();
  header.seed = in.number();
  header.defect = in.text();
  header.command = in.text();
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    std::string id = in.text();
    config.required.push_back({std::move(id), in.number()});
  }
  config.converge_bound = in.signed_number();
  config.presence_off_bound = in.signed_number();
  config.presence_on_bound = in.signed_number();
  config.service_bound = in.signed_number();
  config.fewest_samples = in.number();
  config.availability_bound = in.signed_number();
  config.availability_per_million = in.number32();
  config.cohorts = take_texts(in);
  config.judged_cohorts = take_texts(in);
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left)
    config.gateway_region.push_back(in.number32());
  config.hole_bound = in.signed_number();
  config.final_audit = in.number() != 0;
  config.history_bytes = in.number();
  config.unverified_per_mille = in.number32();
  config.operation_bound = in.signed_number();
  config.connect_bound = in.signed_number();
  config.fewest_operations = in.number();
  config.sends_per_s = in.number32();
  config.send_burst = in.number32();
  config.push_queue_frames = in.number32();
  config.push_queue_bytes = in.number32();
  config.slow_bound = in.signed_number();
  config.retain_entries = in.number32();
  config.retain_changes = in.number32();
  if (format >= 6) {
    config.recover_bound = in.signed_number();
    config.recover_per_million = in.number32();
    config.fewest_of_a_pair = in.number();
    config.revoke_bound = in.signed_number();
  }
  if (format >= 7) config.park_after = in.number32();
  if (format >= 8) {
    config.last_seen_lag = in.signed_number();
    config.last_seen_skew = in.signed_number();
    config.privacy_bound = in.signed_number();
  }
  if (format >= 8) config.fork_window = in.signed_number();
  return in.ok() && in.rest().empty();
}

StreamHash::StreamHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(static_cast<XXH3_state_t*>(state_));
}
StreamHash::~StreamHash() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }
void StreamHash::add(std::string_view bytes) {
  XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size());
}
std::uint64_t StreamHash::value() const {
  return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_));
}

}  // namespace wavetank::history
