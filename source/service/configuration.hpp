// What a program is told by its command line, its environment and a file, and which takes precedence.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// One option of a program, wherever it is set.
struct option {
    std::string name;       ///< without dashes
    std::string value_name; ///< for --help; empty for a switch, which the command line only names, meaning `true`
    std::string by_default; ///< empty: no value by default
    std::string meaning;    ///< for --help

    /// Parses `text` and stores its value. Returns null or, for an invalid text, what to give instead.
    std::function<const char*(const std::string& text)> take;

    bool repeatable = false;        ///< may be given several values
    bool at_once = false;           ///< a running program can apply a change
    std::string default_in_words{}; ///< for --help, where the default differs between machines
    std::string
        goes_with{}; ///< an option: while a change of that one waits for a restart, a change of this one waits too
};

/// A value that was given to an option, and where: "command line", "CAUSEWAY_THREADS", "causeway.conf:12" or "default".
struct assignment {
    std::string name;
    std::string value;
    std::string origin;

    friend bool operator==(const assignment&, const assignment&) = default;
};

using assignments = std::vector<assignment>;

/// What a command line says.
struct command_line {
    assignments given;
    std::optional<std::string> config; ///< the file to read
    bool check_config = false;
    bool help = false;
    bool version = false;
    std::string error; ///< why it cannot be parsed at all, or empty
};

/// Reads a command line as `main` gets it.
command_line read_command_line(int argc, const char* const* argv, std::span<const option> options);

/// The text of --help that lists the options.
std::string list_of(std::span<const option> options);

/// Reads `environment`, which ends with a null pointer: the option `reply-timeout` is the variable
/// `<prefix>REPLY_TIMEOUT`. An empty variable counts as not set. The values of a repeatable option are separated by
/// commas or spaces; a variable of nothing else is an invalid value.
assignments read_environment(const char* const* environment, std::string_view prefix, std::span<const option> options);

/// Reads lines of the form `name = value`, from a file called `name`. A `#` at the beginning of a line or after a space
/// begins a comment. A line of any other form is added to `errors`.
assignments read_file(std::istream& text, std::string_view name, std::vector<std::string>& errors);

/// What is wrong with the assignments of one source, in words and with their origin: unknown names, invalid values, and
/// options that are given more than once but must not be. As a side effect the options store the values.
std::vector<std::string> errors_in(const assignments& given, std::span<const option> options);

/// For each option, in order: the assignments of the first source that has any for it, otherwise its default.
assignments in_force(std::span<const assignments> sources, std::span<const option> options);

/// What is in force, as a configuration file, with the origins as comments.
std::string to_file(const assignments& in_force, std::span<const option> options);

/// From one set of values to another, as far as a running program can go. Options that belong to one that needs a
/// restart wait with it, so that they never take effect in part.
struct transition {
    assignments in_force;                  ///< afterwards
    std::vector<std::string> applied;      ///< in words, each option that changes
    std::vector<std::string> need_restart; ///< in words, each option that needs a restart
};
transition change(const assignments& now, const assignments& wanted, std::span<const option> options);

/// The settings in `in_force`, which has no errors. `options_of(Settings&)` gives the options that fill them in.
template <class Settings>
Settings settings_from(const assignments& in_force)
{
    Settings settings;
    const std::vector<option> options = options_of(settings);
    for (const auto& option : options)
        for (const auto& given : in_force)
            if (given.name == option.name)
                option.take(given.value);
    return settings;
}

} // namespace causeway::service
