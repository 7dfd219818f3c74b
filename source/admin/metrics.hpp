// The figures of the process in Prometheus' text format.
#pragma once

#include "admin/process.hpp"
#include "admin/report.hpp"

#include <string>
#include <string_view>

namespace causeway::admin {

/// The media type of `metrics_text`.
inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, each with a line that says what it is; docs/operations.md says what to do when it moves. Labels have
/// only values that the settings or this program choose, never those of a client or of an upstream. Durations are in
/// seconds, sizes in bytes. Pure.
std::string metrics_text(const facts& facts, const report& report, const process_figures& process);

} // namespace causeway::admin
