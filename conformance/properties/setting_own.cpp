// SET-OWN: a device shows only values that a device of its own user has put, unchanged and where they were
// put.
#include <boost/unordered/unordered_flat_map.hpp>

#include "conformance/properties/catalogue.hpp"
#include "conformance/properties/setting_place.hpp"

namespace wavetank::conformance {
namespace {

class SettingOwn final : public Monitor {
 public:
  explicit SettingOwn(Truth& truth) : Monitor("SET-OWN", truth) {}

  KindSet kinds() const override {
    return kinds_of(Kind::kSettingPut, Kind::kSettingSeen, Kind::kSettingState);
  }

  void on(const Observation& seen) override {
    const Record& record = seen.record;
    const Put said{setting_place(seen.device->user, record), record.digest};
    if (record.kind == Kind::kSettingPut) {
      puts_.try_emplace(put_name(record.key), said);
      return;
    }
    fired();
    const auto put = puts_.find(put_name(record.key));
    if (put != puts_.end() && put->second == said) return;
    violate(record, "device {} of user {} shows a value of setting {} of conversation {} as {}, which {}",
            record.device, seen.device->user, record.entry_kind, record.conversation,
            text_of_put(put_name(record.key)),
            put == puts_.end() ? "nobody has made" : "was for another place, user or value");
  }

  std::size_t bytes() const override { return table_bytes(puts_); }

 private:
  struct Put {
    Id128 place;  // by user
    std::uint64_t digest = 0;
    friend bool operator==(const Put&, const Put&) = default;
  };
  boost::unordered_flat_map<std::uint64_t, Put> puts_;
};

}  // namespace

std::unique_ptr<Monitor> make_setting_own(Truth& truth) { return std::make_unique<SettingOwn>(truth); }

}  // namespace wavetank::conformance
