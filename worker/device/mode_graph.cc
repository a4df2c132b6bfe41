#include "worker/device/mode_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace netfleet {
namespace {

// Without the repetitions of a mode that has several prompts.
std::vector<std::string> mode_names(const Platform& platform) {
  std::vector<std::string> names;
  for (const Platform::Mode& mode : platform.modes) {
    if (std::find(names.begin(), names.end(), mode.name) == names.end()) names.push_back(mode.name);
  }
  return names;
}

}  // namespace

const Platform::Mode* find_mode(const Platform& platform, std::string_view prompt,
                                std::string_view line_above) {
  for (const Platform::Mode& mode : platform.modes) {
    if (mode.prompt.matches(prompt) && (!mode.above || mode.above->matches(line_above))) {
      return &mode;
    }
  }
  return nullptr;
}

Expected<std::vector<const Platform::Move*>> find_way(const Platform& platform,
                                                      const std::string& from,
                                                      const std::string& to) {
  const std::vector<std::string> names = mode_names(platform);
  if (std::find(names.begin(), names.end(), to) == names.end()) {
    return fail(fmt::format("platform {} has no mode \"{}\", only {}", platform.name, to,
                            fmt::join(names, ", ")));
  }
  // Breadth first; a mode's move is the one by which it was first reached.
  std::map<std::string, const Platform::Move*> reached_by{{from, nullptr}};
  std::vector<std::string> reached{from};
  for (std::size_t i = 0; i < reached.size() && !reached_by.contains(to); ++i) {
    const std::string mode = reached[i];
    for (const Platform::Move& move : platform.moves) {
      if (move.from != mode || !reached_by.emplace(move.to, &move).second) continue;
      reached.push_back(move.to);
    }
  }
  if (!reached_by.contains(to)) {
    return fail(fmt::format("platform {} has no way from mode \"{}\" to \"{}\"; its modes are {}",
                            platform.name, from, to, fmt::join(names, ", ")));
  }
  std::vector<const Platform::Move*> way;
  for (const Platform::Move* move = reached_by.at(to); move != nullptr;
       move = reached_by.at(move->from)) {
    way.push_back(move);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

}  // namespace netfleet
