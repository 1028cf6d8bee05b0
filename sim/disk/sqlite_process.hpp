// SQLite's sources of chance that belong to the whole process, not to a connection.
#pragma once

#include <cstdint>

namespace wavetank::sim {

// Fixes SQLite's process-wide settings and initialises it: no mutexes around connections, no memory
// statistics, no memory map, no heap limits, a seeded generator. Call once before anything else
// uses SQLite; later calls change nothing. False when SQLite had been initialised before the first call, so
// that its settings could not be changed. Every connection of a world is used by one thread at a time.
bool pin_sqlite_process();

// Starts SQLite's random generator anew from `seed`, so that two worlds in one process draw the same. Call it
// before each world and never within one: the generator makes the salts by which a write-ahead log tells its
// frames from stale ones, and they must not repeat while a disk lives. The generator is one per process:
// worlds that run interleaved share it, so the bytes of their files may differ from those of a lone run (what
// SQL sees does not, unless it calls random()).
void reset_sqlite_prng(std::uint64_t seed);

}  // namespace wavetank::sim
