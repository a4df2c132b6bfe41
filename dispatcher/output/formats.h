// dispatcher/output: the formats behind make_renderer, and the pieces that several of them share.
#pragma once

#include <memory>
#include <string>

#include "dispatcher/output/renderer.h"

namespace netfleet {

std::unique_ptr<Renderer> make_text_renderer(bool to_terminal);    // text.cc
std::unique_ptr<Renderer> make_jsonl_renderer(std::string sweep);  // jsonl.cc
std::unique_ptr<Renderer> make_summary_renderer();                 // summary.cc
// The second one needs set_read_back(). `differences`: of all groups but the largest.
std::unique_ptr<Renderer> make_csv_renderer(const std::string& sweep, bool to_terminal);  // csv.cc
std::unique_ptr<Renderer> make_grouped_renderer(bool differences, bool to_terminal);  // grouped.cc

std::unique_ptr<Renderer> make_detection_table();  // detections.cc
std::unique_ptr<Renderer> make_detection_jsonl();

// "--- show clock: command_failed: truncated after 7 bytes", above an output.
void append_command_line(const CommandResult& command, std::string& out);  // text.cc
// "0.52s"
std::string seconds_text(Milliseconds duration);
// "50 hosts: 49 ok, 1 timed_out in 10.2 s"
std::string totals_line(const Summary& summary);

}  // namespace netfleet
