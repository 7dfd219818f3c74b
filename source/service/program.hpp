// What both programs do around their work: command line, logging, exit status.
#pragma once

#include "service/out_of_memory.hpp"
#include "service/settings.hpp"

#include <fmt/core.h>
#include <spdlog/common.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <variant>

namespace causeway::service {

/// Opens /dev/null for each of the standard streams that is closed, so that no socket or file gets its number, and with
/// it the log. To be called before anything is opened. Throws `std::system_error`.
void open_closed_standard_streams();

/// Logs to standard error, at `level` and above. Never blocks: a line that nobody reads in time is lost and counted.
void start_logging(spdlog::level::level_enum level);

/// Lets this process open as many files as the system permits: each connection is one, and the usual soft limit of
/// 1024 is meant for programs that use select(2). A limit that cannot be raised stays as it is.
void raise_file_limit();

/// How many files this process may have open.
std::size_t open_file_limit();

/// A log that nobody reads any more must not end the program: writing to it becomes an error that is let go.
void ignore_broken_pipes();

/// One line on standard error, if there is room for it.
void say_why_it_ends(const char* program, const std::exception& error);

/// SIGHUP, SIGUSR1 and SIGUSR2 would end a program that does not know them, without a drain. They do nothing until
/// somebody handles them.
void ignore_signals_without_a_meaning();

/// The whole of a program: `run` with the settings that `parse` reads from the command line. Gives the exit status:
/// what `run` gives, 1 when something throws or memory runs out, 2 for wrong usage, the last two with one line on
/// standard error. `name` lives as long as the program. For `main`, before any thread.
template <class Settings>
int run_program(const char* name, int argc, const char* const* argv,
                parsed<Settings> (*parse)(int argc, const char* const* argv), int (*run)(const Settings&))
try {
    open_closed_standard_streams();
    end_when_out_of_memory(name);
    const auto command_line = parse(argc, argv);
    if (const auto* information = std::get_if<service::information>(&command_line)) {
        fmt::print("{}", information->text);
        return 0;
    }
    if (const auto* error = std::get_if<usage_error>(&command_line)) {
        fmt::print(stderr, "{}\n", error->text);
        return 2;
    }
    const auto& settings = std::get<Settings>(command_line);
    start_logging(settings.log_level);
    raise_file_limit();
    ignore_broken_pipes();
    ignore_signals_without_a_meaning();
    return run(settings);
} catch (const std::exception& error) {
    say_why_it_ends(name, error);
    return 1;
}

} // namespace causeway::service
