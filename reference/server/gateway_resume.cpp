// The gateway's side of resuming: who may go on with a session, and what is told again.
#include <algorithm>
#include <utility>
#include <vector>

#include "reference/environment/randomness.hpp"
#include "reference/server/gateway.hpp"

namespace wavetank::server {

using protocol::ErrorCode;
using protocol::Frame;

Gateway::Resumable* Gateway::resumable_of(const Session& session) {
  if (!can_resume()) return nullptr;
  const auto found = resumables_.find(device_key(session));
  return found != resumables_.end() && found->second.counter == session.counter ? &found->second : nullptr;
}

void Gateway::draw_token(Resumable& resumable) {
  const Randomness randomness(config_.resume_seed);
  const SessionId session = id_base_ | resumable.counter;
  ++resumable.draws;
  resumable.token = {randomness.bits(Purpose::kResumeToken, session, resumable.draws, 1),
                     randomness.bits(Purpose::kResumeToken, session, resumable.draws, 2)};
}

bool Gateway::resume(Session& newcomer, const Frame& frame, TimeNs now, Effects& effects) {
  const auto& hello = std::get<protocol::Hello>(frame.body);
  const bool is_asked = hello.resume_token != ResumeToken();
  Session* session = nullptr;
  const auto found = resumables_.find(device_key(newcomer));
  if (found != resumables_.end()) session = sessions_.by_counter(found->second.counter);
  bool is_its_own = session != nullptr && is_asked && hello.resume_token == found->second.token &&
                    hello.last_frame_seq <= session->frames_sent &&
                    (found->second.ring.is_whole_after(hello.last_frame_seq) ||
                     config_.defects.has(Defect::kReplayRingDropsSilently));
  // What is over, or of an earlier sign-in, is not gone on with: whoever comes back has to ask the home.
  if (is_its_own && checks_credentials() && !config_.defects.has(Defect::kResumeOutlivesRemoval)) {
    is_its_own =
        credential_error(*session, now) == ErrorCode::kNone && hello.generation == generation_of(*session);
  }
  if (!is_its_own) {
    if (is_asked) observer_.probe(config_.self, Probe::kResumeRefused);
    if (session != nullptr) {  // the device is here anew
      disown_connection(*session, effects);
      forget(*session, effects);
    }
    session = other_detached(newcomer);
    if (session == nullptr) return false;
  }
  observer_.probe(config_.self, Probe::kSessionResumed);
  disown_connection(*session, effects);
  drop_waiting(*session);
  session->hello_request = newcomer.hello_request;
  session->version = newcomer.version;
  session->features = newcomer.features;
  session->background = newcomer.background;
  session->frames_received = newcomer.frames_received;
  if (session->state == SessionState::kDetached) {
    --detached_count_;
    ++live_count_;
  }
  generations_.erase(newcomer.counter);
  sessions_.rebind(*session, newcomer);
  enter(*session, SessionState::kLive, now, effects);
  tell_served(*session, true);
  tell_away(*session, session->background, effects);
  welcome_back(*session, *resumable_of(*session), hello, now, effects);
  return true;
}

void Gateway::welcome_back(Session& session, Resumable& resumable, const protocol::Hello& hello, TimeNs now,
                           Effects& effects) {
  const bool repeats = config_.defects.has(Defect::kReplayRepeatsReceived);
  std::vector<protocol::ChangePush> pushes =
      resumable.ring.take_after(repeats ? 0 : hello.last_frame_seq, repeats ? 0 : hello.user_seq);
  if (config_.defects.has(Defect::kReplaySkipsFirst) && !pushes.empty()) pushes.erase(pushes.begin());
  if (!config_.defects.has(Defect::kResumeTokenReusable)) draw_token(resumable);
  session.frames_sent = 0;
  protocol::Welcome welcome = make_welcome(session, resumable.user_epoch, now);
  welcome.resume_token = resumable.token;
  welcome.resume_window_ms = config_.resume_window_ms;
  welcome.resumed = true;
  welcome.replayed = static_cast<std::uint32_t>(pushes.size());
  send(session, protocol::make_frame(welcome, session.hello_request), effects);
  for (protocol::ChangePush& push : pushes) {
    resumable.ring.keep(session.frames_sent + 1, push,
                        {config_.replay_ring_frames, config_.replay_ring_bytes});
    Frame frame = protocol::make_frame(std::move(push));
    leave_out_unnamed(session, frame.body);  // the session may have named more
    if (bounds_pushes()) count_push(session, frame);
    send(session, std::move(frame), effects);
  }
}

void Gateway::disown_connection(Session& session, Effects& effects) {
  if (session.state == SessionState::kDetached) return;
  protocol::GoAway body;
  body.reason = protocol::GoAwayReason::kReplaced;
  send(session, protocol::make_frame(body), effects);
  effects.close(session.connection, CloseReason::kNormal);
}

// Defect::kResumeOfOtherDevice: as if a session belonged to the user, whatever token is shown.
Session* Gateway::other_detached(const Session& newcomer) {
  if (!config_.defects.has(Defect::kResumeOfOtherDevice)) return nullptr;
  constexpr DeviceIndex kFew = 4;
  for (DeviceIndex device = 0; device < kFew; ++device) {
    const auto found = resumables_.find(Id128{newcomer.user, device});
    if (found == resumables_.end()) continue;
    Session* session = sessions_.by_counter(found->second.counter);
    if (session->state == SessionState::kDetached) return session;
  }
  return nullptr;
}

}  // namespace wavetank::server
