// What people do, as the world sees it: a behaviour wakes up at its cues and acts through the stage; it
// learns what devices show. It knows nothing of networks or servers.
#pragma once

#include <cstdint>
#include <memory>

#include "reference/environment/randomness.hpp"
#include "reference/environment/time.hpp"
#include "sim/population/script.hpp"
#include "sim/scenarios/scenario.pb.h"

namespace wavetank::sim {

// The world's side: what a person can do with a device.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual TimeNs now() const = 0;
  // Calls cue(code, index) of the behaviour at `time`. index < 2^26.
  virtual void cue_at(TimeNs time, std::uint32_t code, std::uint32_t index) = 0;
  virtual void open_app(std::uint32_t device) = 0;
  virtual void close_app(std::uint32_t device) = 0;
  virtual bool app_is_open(std::uint32_t device) const = 0;
  // Sends on this device; returns the device's message counter of it. A membership change concerns the user
  // itself.
  virtual std::uint32_t send(std::uint32_t device, std::uint32_t conversation, protocol::EntryKind kind,
                             std::uint32_t size) = 0;
  // As send() of a message, in answer to the entry `seq`, which the device shows; a stage without references
  // sends it as any other.
  virtual std::uint32_t reply(std::uint32_t device, std::uint32_t conversation, std::uint32_t size,
                              std::uint64_t /*seq*/) {
    return send(device, conversation, protocol::EntryKind::kMessage, size);
  }
  // Reacts to the entry `seq`, which the device shows. The device's counter of it; 0: its session does not
  // offer that.
  virtual std::uint32_t react(std::uint32_t /*device*/, std::uint32_t /*conversation*/,
                              std::uint64_t /*seq*/) {
    return 0;
  }
  // What no honest client does; a stage that cannot does nothing.
  // Sends a message whose frame names `claimed` where a membership change names its subject.
  virtual void send_as(std::uint32_t /*device*/, std::uint32_t /*conversation*/, std::uint32_t /*claimed*/,
                       std::uint32_t /*size*/) {}
  // Sends the key of the device's last acknowledged message once more, with another text of `size` bytes.
  virtual void reuse_key(std::uint32_t /*device*/, std::uint32_t /*size*/) {}
  // Answers an entry that is not there yet.
  virtual void reply_ahead(std::uint32_t /*device*/, std::uint32_t /*conversation*/, std::uint32_t /*size*/) {
  }
  // The dense number of the direct conversation of two users, made when it is first asked for.
  virtual std::uint32_t direct(std::uint32_t user, std::uint32_t other) = 0;
  // The user has seen everything of this conversation that the device shows.
  virtual void read(std::uint32_t device, std::uint32_t conversation) = 0;
  // Sets a setting of the conversation on this device, whether its app is open or not; `nonce` makes the
  // value.
  virtual void put_setting(std::uint32_t /*device*/, std::uint32_t /*conversation*/,
                           protocol::SettingKind /*kind*/, std::uint64_t /*nonce*/) {}
  // The conversation is open on the screen of the device, or no more.
  virtual void watch(std::uint32_t /*device*/, std::uint32_t /*conversation*/, bool /*is_open*/) {}
  // The user removes another one of the user's devices, on this one.
  virtual void remove_device(std::uint32_t /*device*/, std::uint32_t /*other*/) {}
  // The user types in this conversation on this device, or has stopped.
  virtual void type(std::uint32_t /*device*/, std::uint32_t /*conversation*/, bool /*is_typing*/) {}
};

class Behaviour {
 public:
  virtual ~Behaviour() = default;
  // The world begins: set the first cues.
  virtual void begin() = 0;
  virtual void cue(std::uint32_t code, std::uint32_t index) = 0;
  // `device` has just shown the message number `counter` of device `sender`, which is entry `seq`.
  virtual void shown(std::uint32_t /*device*/, std::uint32_t /*conversation*/, std::uint32_t /*sender*/,
                     std::uint32_t /*counter*/, std::uint64_t /*seq*/) {}
  // Nobody starts anything new from now on.
  virtual void quiesce() = 0;
};

// Acts out a script. `script` must outlive it.
std::unique_ptr<Behaviour> make_script_player(const scenarios::Population& population, const Script& script,
                                              Randomness randomness, Stage& stage);

// Lets `honest` act out the script and adds hostile actions of the same devices: population.mischief_permille
// of the script's messages are followed by one. `script` must outlive it.
std::unique_ptr<Behaviour> make_mischief(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> honest);

// Lets `others` act and adds the settings of population.settings_permille of the users: each puts one at
// exponential gaps around setting_gap_ms, on a drawn device, in one of the first two conversations that the
// user talks in; one put in three is followed at once by one of the same setting on another device. `script`
// must outlive it.
std::unique_ptr<Behaviour> make_settings(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others);

// Lets `others` act and has population.typing_permille of the script's messages typed before their time: 100
// to 300 ms for each byte, 30 s at most, as long as the app is open then; who types for two seconds or more
// pauses once. `script` must outlive it.
std::unique_ptr<Behaviour> make_typists(const scenarios::Population& population, const Script& script,
                                        Randomness randomness, Stage& stage,
                                        std::unique_ptr<Behaviour> others);

// Lets `others` act and has population.watchers_permille of the devices show who is there in the
// conversations that the script has them write to: in the last three, for two minutes each. `script` must
// outlive it.
std::unique_ptr<Behaviour> make_watchers(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others);

// Lets `others` act and has population.privacy_permille of the users set who may see that they are there,
// each at exponential gaps around privacy_gap_ms, on a drawn device, to one of the three values. `script`
// must outlive it.
std::unique_ptr<Behaviour> make_privacy(const scenarios::Population& population, const Script& script,
                                        Randomness randomness, Stage& stage,
                                        std::unique_ptr<Behaviour> others);

// Lets `others` act and adds floods: population.flood_permille of the users each send flood_messages at once
// on the first device, at exponential gaps around flood_gap_ms, in turn to the first two conversations that
// the user talks in; and a moment later one message on the second device, where there is one. Only where the
// app is open. `script` must outlive it.
std::unique_ptr<Behaviour> make_floods(const scenarios::Population& population, const Script& script,
                                       Randomness randomness, Stage& stage,
                                       std::unique_ptr<Behaviour> others);

// Lets `others` act and has devices react to population.reactions_permille of the entries that they are
// shown, one to five seconds later, where the app is open then and offers it; nobody reacts to a reaction.
std::unique_ptr<Behaviour> make_reactions(const scenarios::Population& population, Randomness randomness,
                                          Stage& stage, std::unique_ptr<Behaviour> others);

// Lets `others` act and has population.removals_permille of the users who have several devices remove their
// last one, on another one whose app is open, at an exponential time around removal_gap_ms. `script` must
// outlive it.
std::unique_ptr<Behaviour> make_removals(const scenarios::Population& population, const Script& script,
                                         Randomness randomness, Stage& stage,
                                         std::unique_ptr<Behaviour> others);

// Every device writes to one of its own conversations again and again, exponential gaps; partners are keyed
// draws.
std::unique_ptr<Behaviour> make_star(const scenarios::Scenario& scenario, std::uint32_t devices,
                                     Randomness randomness, Stage& stage);

// Acts out a slice of a region's day: people and groups are those of make_region_script(), everything that
// they do is drawn as it comes. The ramp comes first: whoever is on when the slice begins connects in its
// first half, and each group is founded, and joined by its members, in its second; nobody writes or goes
// before its end. 32 bytes a device, 4 a group. `scenario` and `script` must outlive it.
std::unique_ptr<Behaviour> make_region(const scenarios::Scenario& scenario, const Script& script,
                                       Randomness randomness, Stage& stage);

}  // namespace wavetank::sim
