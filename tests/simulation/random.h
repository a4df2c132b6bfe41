// tests/simulation: the only source of chance: everything that a seed decides comes from here.
#pragma once

#include <cstdint>

#include "common/clock.h"

namespace netfleet::simulation {

// xoshiro256** of Blackman and Vigna, seeded by splitmix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9E3779B97F4A7C15u;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
      mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
      word = mixed ^ (mixed >> 31);
    }
  }
  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  // 0 .. n - 1
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{static_cast<std::uint32_t>(next())} * n) >>
                                      32);
  }
  std::uint32_t between(std::uint32_t least, std::uint32_t most) {
    return least + below(most - least + 1);
  }
  double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return fraction() < probability; }
  Nanoseconds between(Nanoseconds least, Nanoseconds most) {
    return least + Nanoseconds(static_cast<std::int64_t>(
                       fraction() * static_cast<double>((most - least).count())));
  }

 private:
  static std::uint64_t rotate(std::uint64_t value, int by) {
    return (value << by) | (value >> (64 - by));
  }
  std::uint64_t state_[4];
};

}  // namespace netfleet::simulation
