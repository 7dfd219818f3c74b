// What the system knows of this process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::admin {

/// What is used of /proc/PID/stat (proc(5)).
struct process_stat {
    std::uint64_t cpu_ticks = 0;   ///< in user and in kernel mode together
    std::uint64_t start_ticks = 0; ///< after the system was started
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;
};

/// Reads the text of /proc/PID/stat; nothing of any other text. The name of the program, in parentheses, may have any
/// characters in it.
std::optional<process_stat> parse_process_stat(std::string_view text);

/// This process. Any thread. What cannot be read is 0.
struct process_figures {
    double cpu_seconds = 0;
    double start_time = 0; ///< in seconds since 1970
    double virtual_bytes = 0;
    double resident_bytes = 0;
    double open_files = 0;
    double most_files = 0;
};

process_figures figures_of_this_process();

} // namespace causeway::admin
