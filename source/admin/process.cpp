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

// Without the one that lists them.
std::optional<double> open_files()
{
    std::error_code unreadable;
    const std::filesystem::directory_iterator files("/proc/self/fd", unreadable);
    if (unreadable)
        return std::nullopt;
    return static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

std::optional<double> most_files()
{
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return std::nullopt;
    return static_cast<double>(files.rlim_cur);
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
    skip(7);
    fields >> stat.virtual_bytes >> stat.resident_pages;
    if (!fields)
        return std::nullopt;
    stat.cpu_ticks = user + kernel;
    return stat;
}

process_figures figures_of_this_process()
{
    process_figures figures{.open_files = open_files(), .most_files = most_files()};
    if (const auto stat = parse_process_stat(text_of("/proc/self/stat"))) {
        figures.cpu_seconds = static_cast<double>(stat->cpu_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        figures.virtual_bytes = static_cast<double>(stat->virtual_bytes);
        figures.resident_bytes =
            static_cast<double>(stat->resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    }
    return figures;
}

} // namespace causeway::admin
