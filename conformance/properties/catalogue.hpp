// The monitors, one for each property of the registry. Each is defined in the file that its name suggests.
#pragma once

#include <memory>

#include "conformance/properties/monitor.hpp"
#include "conformance/requirements/judge_config.hpp"

namespace wavetank::conformance {

std::unique_ptr<Monitor> make_order_agreement(Truth& truth);                              // ORD-AGREE
std::unique_ptr<Monitor> make_order_realtime(Truth& truth);                               // ORD-REALTIME
std::unique_ptr<Monitor> make_order_fifo(Truth& truth);                                   // ORD-FIFO
std::unique_ptr<Monitor> make_order_causal(Truth& truth);                                 // ORD-CAUSAL
std::unique_ptr<Monitor> make_delivery_gapfree(Truth& truth, const JudgeConfig& config);  // DLV-GAPFREE
std::unique_ptr<Monitor> make_delivery_duplicates(Truth& truth);                          // DLV-NODUP
std::unique_ptr<Monitor> make_delivery_integrity(Truth& truth);                           // DLV-INTEGRITY
std::unique_ptr<Monitor> make_delivery_floor(Truth& truth, const JudgeConfig& config);    // DLV-FLOOR
std::unique_ptr<Monitor> make_sync_cursor(Truth& truth);                                  // SYN-CURSOR
std::unique_ptr<Monitor> make_sync_snapshot(Truth& truth, const JudgeConfig& config);     // SYN-SNAPSHOT
std::unique_ptr<Monitor> make_send_idempotency(Truth& truth);                             // SND-IDEM
std::unique_ptr<Monitor> make_send_definite(Truth& truth);                                // SND-DEFINITE
std::unique_ptr<Monitor> make_durability_acked(Truth& truth, const JudgeConfig& config);  // DUR-ACKED
std::unique_ptr<Monitor> make_durability_reuse(Truth& truth);                             // DUR-NOREUSE
std::unique_ptr<Monitor> make_read_monotone(Truth& truth, const JudgeConfig& config);     // RD-MONO
std::unique_ptr<Monitor> make_read_devices(Truth& truth);                                 // RD-MULTIDEV
std::unique_ptr<Monitor> make_read_bounds(Truth& truth);                                  // RD-LEQ
std::unique_ptr<Monitor> make_read_private(Truth& truth);                                 // RD-PRIVATE
std::unique_ptr<Monitor> make_access_boundary(Truth& truth);                              // ACL-BOUNDARY
std::unique_ptr<Monitor> make_session_drain(Truth& truth);                                // SES-DRAIN
std::unique_ptr<Monitor> make_session_resume(Truth& truth);                               // SES-RESUME
std::unique_ptr<Monitor> make_setting_convergence(Truth& truth);                          // SET-CONVERGE
std::unique_ptr<Monitor> make_setting_monotone(Truth& truth);                             // SET-MONO
std::unique_ptr<Monitor> make_setting_once(Truth& truth);                                 // SET-ONCE
std::unique_ptr<Monitor> make_setting_own(Truth& truth);                                  // SET-OWN
std::unique_ptr<Monitor> make_typing_ttl(Truth& truth);                                   // TYP-TTL
std::unique_ptr<Monitor> make_presence_stale(Truth& truth, const JudgeConfig& config);    // PRS-STALE
std::unique_ptr<Monitor> make_presence_seen(Truth& truth, const JudgeConfig& config);     // PRS-SEEN
std::unique_ptr<Monitor> make_presence_private(Truth& truth, const JudgeConfig& config);  // PRS-PRIVATE
std::unique_ptr<Monitor> make_send_limit(Truth& truth, const JudgeConfig& config);        // RL-LIMIT
std::unique_ptr<Monitor> make_push_bounds(Truth& truth, const JudgeConfig& config);       // BP-BOUNDED
std::unique_ptr<Monitor> make_convergence(Truth& truth, const JudgeConfig& config);       // LIV-CONVERGE
std::unique_ptr<Monitor> make_progress(Truth& truth, const JudgeConfig& config);          // LIV-PROGRESS
std::unique_ptr<Monitor> make_availability(Truth& truth, const JudgeConfig& config);      // SLO-AVAIL
std::unique_ptr<Monitor> make_recovery(Truth& truth, const JudgeConfig& config);          // SLO-RECOVER
std::unique_ptr<Monitor> make_blast_radius(Truth& truth, const JudgeConfig& config);      // SLO-BLAST
std::unique_ptr<Monitor> make_evolution_compat(Truth& truth, const JudgeConfig& config);  // EVO-COMPAT
std::unique_ptr<Monitor> make_session_auth(Truth& truth, const JudgeConfig& config);      // SES-AUTH
std::unique_ptr<Monitor> make_move_fence(Truth& truth);                                   // MOV-FENCE
std::unique_ptr<Monitor> make_frame_robust(Truth& truth);                                 // FRM-ROBUST
std::unique_ptr<Monitor> make_parked_loop(Truth& truth, const JudgeConfig& config);       // PRK-LOOP
std::unique_ptr<Monitor> make_delivery_conserve(Truth& truth);                            // DLV-CONSERVE
std::unique_ptr<Monitor> make_epoch_fork(Truth& truth);                                   // ORD-FORK
// SLO-PCT is made by itself, latency.hpp: the judge asks it for its histograms.

}  // namespace wavetank::conformance
