// What all programs have in common: command line, logging, exit status.
#pragma once

#include "service/live_settings.hpp"
#include "service/out_of_memory.hpp"
#include "service/settings.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <variant>

namespace causeway::service {

/// Opens /dev/null for each closed standard stream, so that no socket or file gets its descriptor, and with it the log.
/// To be called before anything is opened. Throws `std::system_error`.
void open_closed_standard_streams();

/// Lets this process open as many files as the system permits: each connection is one, and the usual soft limit of
/// 1024 is meant for programs that use select(2). A limit that cannot be raised stays as it is.
void raise_file_limit();

/// How many files this process may have open.
std::size_t open_file_limit();

/// Keeps this process's memory out of core dumps. A limit of 1 byte, unlike one of 0, also keeps Linux from passing a
/// dump to a handler (fs/coredump.c). If the hard limit is already 0, tracing of the process is forbidden instead.
/// Throws `std::system_error`.
void leave_no_core_dump();

/// What cannot be written must not end the program: a pipe without a reader (SIGPIPE) and a file that has reached the
/// limit of its size (SIGXFSZ) make a write fail, and do nothing else.
void ignore_signals_of_failed_writes();

/// The text for the user after wrong usage of `program`: a line for each error, whatever was typed.
std::string lines_for(const char* program, const usage_error& wrong);

/// Prints what the user has asked for. Throws `std::system_error` when not all of it can be written: a file with half
/// of it would be taken for the whole.
void print_for_the_user(const std::string& text);

/// One line on standard error, if there is room for it.
void say_why_it_ends(const char* program, const std::exception& error);

/// SIGHUP, SIGUSR1 and SIGUSR2 would end a program without a handler for them, without a drain. From now on they do
/// nothing until they are handled.
void ignore_signals_without_a_meaning();

/// From now on no signal reaches the calling thread, which must be the last one: the process is about to end with its
/// own status. Without this, one that arrives when the signal sets are gone would end it, because they leave the
/// system's default action behind.
void disregard_signals_until_the_end();

/// The whole of a program: `run` with the settings that `parse` reads. Returns the exit status: that of `run`; 1 when
/// something throws or memory runs out, with one line on standard error; 2 for wrong usage, with a line for each error.
/// `name` and what `call` refers to live as long as the program. For `main`, before any thread.
template <class Settings>
int run_program(const char* name, const invocation& call, parsed<Settings> (*parse)(const invocation&),
                int (*run)(live_settings<Settings>&))
try {
    ignore_signals_without_a_meaning();
    ignore_signals_of_failed_writes();
    open_closed_standard_streams();
    end_when_out_of_memory(name);
    auto told = parse(call);
    if (const auto* information = std::get_if<service::information>(&told)) {
        print_for_the_user(information->text);
        return 0;
    }
    if (const auto* wrong = std::get_if<usage_error>(&told)) {
        std::fputs(lines_for(name, *wrong).c_str(), stderr); // if that is impossible, the status still says it
        return 2;
    }
    live_settings<Settings> settings(call, parse, std::get<configured<Settings>>(std::move(told)));
    raise_file_limit();
    return run(settings);
} catch (const std::exception& error) {
    say_why_it_ends(name, error);
    return 1;
}

} // namespace causeway::service
