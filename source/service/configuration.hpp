// What a program is told by its command line, its environment and a file, and whose word counts.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// One option of a program, in whatever way it is given.
struct option {
    std::string name;       ///< without dashes
    std::string value_name; ///< for --help; empty for a switch, which the command line only names: that means `true`
    std::string by_default; ///< empty: no value until one is given
    std::string meaning;    ///< for --help

    /// Stores the value that `text` stands for. Gives null, or what to give instead of a text that makes no sense.
    std::function<const char*(const std::string& text)> take;

    bool repeatable = false;        ///< has as many values as it is given
    bool at_once = false;           ///< a running program can change it
    std::string default_in_words{}; ///< for --help, where the default differs between machines
    std::string goes_with{}; ///< an option: while a change of that one waits for a restart, one of this waits too
};

/// A value that an option was given, and where: "command line", "CAUSEWAY_THREADS", "causeway.conf:12" or "default".
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
    std::string error; ///< why it cannot be read at all, or empty
};

/// Reads a command line as `main` gets it.
command_line read_command_line(int argc, const char* const* argv, std::span<const option> options);

/// The text of --help that lists the options.
std::string list_of(std::span<const option> options);

/// Reads `environment`, which ends with a null pointer: the option `reply-timeout` is the variable
/// `<prefix>REPLY_TIMEOUT`. One that is empty counts as not set. Where an option is repeatable, its values stand behind
/// each other with commas or spaces between them; one of nothing else is a value that makes no sense.
assignments read_environment(const char* const* environment, std::string_view prefix, std::span<const option> options);

/// Reads lines of the form `name = value`, from a file that is called `name`. What stands behind a `#` that begins a
/// line or follows a space is a comment. A line of another form is added to `errors`.
assignments read_file(std::istream& text, std::string_view name, std::vector<std::string>& errors);

/// What is wrong with the assignments of one source, in words and with their origin: names of no option, values that
/// make no sense, options that are given more than once and may not be. Leaves behind whatever the options take.
std::vector<std::string> errors_in(const assignments& given, std::span<const option> options);

/// For each option, in their order: the assignments of the first source that has any for it, otherwise its default.
assignments in_force(std::span<const assignments> sources, std::span<const option> options);

/// What is in force, as a configuration file, with the origins as comments.
std::string to_file(const assignments& in_force, std::span<const option> options);

/// From one set of values to another, as far as a running program can go. Options that go with one that needs a restart
/// wait with it: what was meant together is never in force in part.
struct transition {
    assignments in_force;                  ///< afterwards
    std::vector<std::string> applied;      ///< in words, each option that changes
    std::vector<std::string> need_restart; ///< in words, each option that would have to
};
transition change(const assignments& now, const assignments& wanted, std::span<const option> options);

/// The settings that `in_force`, which has no errors, stands for. `options_of(Settings&)` gives the options that fill
/// them in.
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
