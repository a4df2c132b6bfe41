// dispatcher/output: the formats behind make_renderer, and the pieces that several of them share.
#pragma once

#include <memory>
#include <string>

#include "dispatcher/output/renderer.h"

namespace netfleet {

std::unique_ptr<Renderer> make_text_renderer(bool to_terminal);    // text.cc
std::unique_ptr<Renderer> make_jsonl_renderer(std::string sweep);  // jsonl.cc
std::unique_ptr<Renderer> make_summary_renderer();                 // summary.cc

std::unique_ptr<Renderer> make_detection_table();  // detections.cc
std::unique_ptr<Renderer> make_detection_jsonl();

// "0.52s"
std::string seconds_text(Milliseconds duration);
// "50 hosts: 49 ok, 1 timed_out in 10.2 s"
std::string totals_line(const Summary& summary);

}  // namespace netfleet
