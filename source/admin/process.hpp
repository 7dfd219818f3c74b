// What the system knows of this process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::admin {

/// What is used of /proc/PID/stat (proc(5)).
struct process_stat {
    std::uint64_t cpu_ticks = 0; ///< in user and in kernel mode together
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;
};

/// Reads the text of /proc/PID/stat; nothing of any other text. The name of the program, in parentheses, may have any
/// characters in it.
std::optional<process_stat> parse_process_stat(std::string_view text);

/// What a process uses. What cannot be read is missing: at the limit of open files, for example, all that is in a file.
struct process_figures {
    std::optional<double> cpu_seconds = {};
    std::optional<double> virtual_bytes = {};
    std::optional<double> resident_bytes = {};
    std::optional<double> open_files = {};
    std::optional<double> most_files = {};
};

/// What this process uses now. Any thread may call it.
process_figures figures_of_this_process();

} // namespace causeway::admin
