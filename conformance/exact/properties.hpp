// The properties of the registry as predicates over a whole history, each in the file that its area suggests.
#pragma once

#include "conformance/exact/findings.hpp"

namespace wavetank::conformance::exact {

Findings order_agreement(const Facts& facts);      // ORD-AGREE      order.cpp
Findings order_realtime(const Facts& facts);       // ORD-REALTIME
Findings order_fifo(const Facts& facts);           // ORD-FIFO
Findings order_causal(const Facts& facts);         // ORD-CAUSAL     causality.cpp
Findings delivery_gapfree(const Facts& facts);     // DLV-GAPFREE    delivery_gapfree.cpp
Findings delivery_duplicates(const Facts& facts);  // DLV-NODUP      delivery.cpp
Findings delivery_integrity(const Facts& facts);   // DLV-INTEGRITY
Findings delivery_floor(const Facts& facts);       // DLV-FLOOR      retention.cpp
Findings sync_cursor(const Facts& facts);          // SYN-CURSOR     pages.cpp
Findings sync_snapshot(const Facts& facts);        // SYN-SNAPSHOT   retention.cpp
Findings send_idempotency(const Facts& facts);     // SND-IDEM       sending.cpp
Findings send_definite(const Facts& facts);        // SND-DEFINITE
Findings durability_acked(const Facts& facts);     // DUR-ACKED      durability.cpp
Findings durability_reuse(const Facts& facts);     // DUR-NOREUSE
Findings read_monotone(const Facts& facts);        // RD-MONO        reading.cpp
Findings read_devices(const Facts& facts);         // RD-MULTIDEV
Findings read_bounds(const Facts& facts);          // RD-LEQ
Findings read_private(const Facts& facts);         // RD-PRIVATE
Findings access_boundary(const Facts& facts);      // ACL-BOUNDARY   access.cpp
Findings session_drain(const Facts& facts);        // SES-DRAIN      sessions.cpp
Findings session_resume(const Facts& facts);       // SES-RESUME     resuming.cpp
Findings setting_convergence(const Facts& facts);  // SET-CONVERGE   settings.cpp
Findings setting_monotone(const Facts& facts);     // SET-MONO
Findings setting_once(const Facts& facts);         // SET-ONCE
Findings setting_own(const Facts& facts);          // SET-OWN
Findings typing_ttl(const Facts& facts);           // TYP-TTL        typing.cpp
Findings presence_seen(const Facts& facts);        // PRS-SEEN       last_seen.cpp
Findings presence_private(const Facts& facts);     // PRS-PRIVATE    last_seen.cpp
Findings presence_stale(const Facts& facts);       // PRS-STALE      presence.cpp
Findings send_limit(const Facts& facts);           // RL-LIMIT       limits.cpp
Findings push_bounds(const Facts& facts);          // BP-BOUNDED
Findings convergence(const Facts& facts);          // LIV-CONVERGE   convergence.cpp
Findings progress(const Facts& facts);             // LIV-PROGRESS   progress.cpp
Findings availability(const Facts& facts);         // SLO-AVAIL      service.cpp
Findings latency(const Facts& facts);              // SLO-PCT
Findings recovery(const Facts& facts);             // SLO-RECOVER    faults.cpp
Findings blast_radius(const Facts& facts);         // SLO-BLAST
Findings evolution_compat(const Facts& facts);     // EVO-COMPAT     evolution.cpp
Findings session_auth(const Facts& facts);         // SES-AUTH       credentials.cpp
Findings move_fence(const Facts& facts);           // MOV-FENCE      moves.cpp
Findings frame_robust(const Facts& facts);         // FRM-ROBUST     hostile.cpp
Findings parked_loop(const Facts& facts);          // PRK-LOOP       parking.cpp
Findings delivery_conserve(const Facts& facts);    // DLV-CONSERVE
Findings epoch_fork(const Facts& facts);           // ORD-FORK     epochs.cpp

}  // namespace wavetank::conformance::exact
