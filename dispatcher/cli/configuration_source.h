// dispatcher/cli: configuration as the command line names it. Not for what is in the files.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace netfleet {

// Of --config-line and --config-file.
struct ConfigurationSource {
  bool is_file = false;
  std::string text;  // the line, or the file's name
};

// Adds the two options to a verb; configuration_of() says what they were given.
void add_configuration_options(CLI::App& verb);
// In the order of the command line, which single options do not know.
std::vector<ConfigurationSource> configuration_of(const CLI::App& verb);

}  // namespace netfleet
