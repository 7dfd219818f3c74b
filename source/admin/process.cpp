#include "admin/process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace causeway::admin {
namespace {

std::string text_of(const char* file)
{
    std::ifstream input(file);
    return {std::istreambuf_iterator<char>(input), {}};
}

// When the system was started, in seconds since 1970.
double start_of_system()
{
    constexpr std::string_view name = "\nbtime ";
    const auto text = text_of("/proc/stat");
    const auto found = text.find(name);
    return found == std::string::npos ? 0 : std::stod(text.substr(found + name.size()));
}

// Without the one that lists them.
double open_files()
{
    std::error_code unreadable;
    const std::filesystem::directory_iterator files("/proc/self/fd", unreadable);
    return unreadable ? 0 : static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

double most_files()
{
    rlimit files{};
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? static_cast<double>(files.rlim_cur) : 0;
}

} // namespace

std::optional<process_stat> parse_process_stat(std::string_view text)
{
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos)
        return std::nullopt;
    // The first field behind the name is the third of all.
    std::istringstream fields{std::string(text.substr(name_end + 1))};
    std::string skipped;
    const auto skip = [&](int count) {
        while (count-- != 0)
            fields >> skipped;
    };
    process_stat stat;
    std::uint64_t user = 0;
    std::uint64_t kernel = 0;
    skip(11);
    fields >> user >> kernel;
    skip(6);
    fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
    if (!fields)
        return std::nullopt;
    stat.cpu_ticks = user + kernel;
    return stat;
}

process_figures figures_of_this_process()
{
    const auto stat = parse_process_stat(text_of("/proc/self/stat")).value_or(process_stat{});
    const auto ticks_in_a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    // Once only: when the wall clock is set, the start of the system moves with it, which would look like a restart.
    static const auto start_time = start_of_system() + static_cast<double>(stat.start_ticks) / ticks_in_a_second;
    return {.cpu_seconds = static_cast<double>(stat.cpu_ticks) / ticks_in_a_second,
            .start_time = start_time,
            .virtual_bytes = static_cast<double>(stat.virtual_bytes),
            .resident_bytes = static_cast<double>(stat.resident_pages) * page,
            .open_files = open_files(),
            .most_files = most_files()};
}

} // namespace causeway::admin
