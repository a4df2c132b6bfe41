// worker/device: platforms as people and programs read them (`netfleet platforms`). Formatting
// only.
#pragma once

#include <string>

#include "worker/device/platform.h"

namespace netfleet {

// A line each: name, confidence, title, aliases. The JSON of each is platform_json's.
std::string platform_table(const PlatformSet& platforms);
std::string platform_table_jsonl(const PlatformSet& platforms);

// All that is known of one: names, notes, modes and the ways between them, what is sent and when.
std::string platform_page(const Platform& platform);
// The same as one line of JSON, with the keys of the file.
std::string platform_json(const Platform& platform);

}  // namespace netfleet
