#include "service/configuration.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace causeway::service {
namespace {

namespace program_options = boost::program_options;

constexpr std::string_view white_space = " \t\r";
constexpr std::string_view between_values = ", ";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF"; // some editors write it
constexpr auto from_command_line = "command line";

program_options::options_description describe(std::span<const option> options)
{
    using program_options::value;
    program_options::options_description description("Options");
    for (const auto& option : options) {
        if (option.value_name.empty()) {
            description.add_options()(option.name.c_str(), option.meaning.c_str());
            continue;
        }
        auto* text = value<std::string>()->value_name(option.value_name);
        if (!option.by_default.empty())
            text->default_value(option.by_default,
                                option.default_in_words.empty() ? option.by_default : option.default_in_words);
        description.add_options()(option.name.c_str(), text, option.meaning.c_str());
    }
    description.add_options()("config", value<std::string>()->value_name("FILE"),
                              "read further options from a file of lines `name = value`");
    description.add_options()("check-config", "print each setting in force and where it was set, and exit");
    description.add_options()("help", "print this and exit");
    description.add_options()("version", "print the version and exit");
    return description;
}

std::string_view trim(std::string_view text)
{
    const auto begin = text.find_first_not_of(white_space);
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

std::string_view without_comment(std::string_view line)
{
    for (auto at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1))
        if (at == 0 || white_space.find(line[at - 1]) != std::string_view::npos)
            return line.substr(0, at);
    return line;
}

std::string option_of_variable(std::string_view name)
{
    std::string option(name);
    for (char& c : option)
        if (c == '_')
            c = '-';
        else if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return option;
}

std::vector<std::string> split(std::string_view values)
{
    std::vector<std::string> all;
    for (auto begin = values.find_first_not_of(between_values); begin != std::string_view::npos;
         begin = values.find_first_not_of(between_values)) {
        values.remove_prefix(begin);
        const auto length = std::min(values.find_first_of(between_values), values.size());
        all.emplace_back(values.substr(0, length));
        values.remove_prefix(length);
    }
    return all;
}

const option* find(std::string_view name, std::span<const option> options)
{
    const auto found = std::ranges::find(options, name, &option::name);
    return found == options.end() ? nullptr : &*found;
}

assignments of_option(const option& option, const assignments& given)
{
    assignments own;
    std::ranges::copy_if(given, std::back_inserter(own), [&](const auto& each) { return each.name == option.name; });
    return own;
}

std::vector<std::string> values_of(const option& option, const assignments& given)
{
    std::vector<std::string> values;
    for (const auto& own : of_option(option, given))
        values.push_back(own.value);
    return values;
}

std::string in_words(const std::vector<std::string>& values)
{
    return values.empty() ? "nothing" : fmt::format("{}", fmt::join(values, ", "));
}

// What is wrong, or an empty text.
std::string error_in(const assignment& given, std::span<const option> options, bool is_first)
{
    const auto* option = find(given.name, options);
    if (option == nullptr)
        return fmt::format("there is no option '{}' that could be set here", given.name);
    if (!is_first && !option->repeatable)
        return fmt::format("option '--{}' cannot be specified more than once", given.name);
    if (const char* advice = option->take(given.value))
        return fmt::format("--{} '{}': {}", given.name, given.value, advice);
    return {};
}

} // namespace

command_line read_command_line(int argc, const char* const* argv, std::span<const option> options)
try {
    // No abbreviations: a script that relies on one breaks when a new option makes it ambiguous.
    using namespace program_options::command_line_style;
    const auto description = describe(options);
    const auto parsed = program_options::command_line_parser(argc, argv)
                            .options(description)
                            .positional(program_options::positional_options_description())
                            .style(default_style & ~allow_guessing)
                            .run();
    command_line line;
    for (const auto& each : parsed.options) {
        const auto value = each.value.empty() ? "true" : each.value.front();
        if (each.string_key == "config" && line.config)
            line.error = "option '--config' cannot be specified more than once";
        else if (each.string_key == "config")
            line.config = value;
        else if (each.string_key == "check-config")
            line.check_config = true;
        else if (each.string_key == "help")
            line.help = true;
        else if (each.string_key == "version")
            line.version = true;
        else
            line.given.push_back({each.string_key, value, from_command_line});
    }
    return line;
} catch (const program_options::error& error) {
    command_line line;
    line.error = error.what();
    return line;
}

std::string list_of(std::span<const option> options)
{
    std::ostringstream text;
    text << describe(options);
    return text.str();
}

assignments read_environment(const char* const* environment, std::string_view prefix, std::span<const option> options)
{
    assignments given;
    for (; *environment != nullptr; ++environment) {
        const std::string_view variable = *environment;
        const auto name = variable.substr(0, variable.find('='));
        if (!name.starts_with(prefix) || name.size() + 1 >= variable.size())
            continue;
        const auto value = variable.substr(name.size() + 1);
        const auto option_name = option_of_variable(name.substr(prefix.size()));
        const auto* option = find(option_name, options);
        const bool is_list = option != nullptr && option->repeatable;
        auto values = is_list ? split(value) : std::vector<std::string>();
        if (values.empty()) // also for a list, for which it is invalid
            values.emplace_back(value);
        for (auto& each : values)
            given.push_back({option_name, std::move(each), std::string(name)});
    }
    return given;
}

assignments read_file(std::istream& text, std::string_view name, std::vector<std::string>& errors)
{
    assignments given;
    int number = 0;
    for (std::string whole; std::getline(text, whole);) {
        const auto origin = fmt::format("{}:{}", name, ++number);
        if (number == 1 && whole.starts_with(byte_order_mark))
            whole.erase(0, byte_order_mark.size());
        const auto line = trim(without_comment(whole));
        const auto equals = line.find('=');
        if (line.empty())
            continue;
        if (equals == std::string_view::npos)
            errors.push_back(fmt::format("{}: '{}': give name = value, or a comment that begins with #", origin, line));
        else
            given.push_back(
                {std::string(trim(line.substr(0, equals))), std::string(trim(line.substr(equals + 1))), origin});
    }
    return given;
}

std::vector<std::string> errors_in(const assignments& given, std::span<const option> options)
{
    std::vector<std::string> errors;
    std::set<std::string_view> seen;
    for (const auto& each : given) {
        const auto error = error_in(each, options, seen.insert(each.name).second);
        if (!error.empty())
            errors.push_back(each.origin == from_command_line ? error : fmt::format("{}: {}", each.origin, error));
    }
    return errors;
}

assignments in_force(std::span<const assignments> sources, std::span<const option> options)
{
    assignments all;
    for (const auto& option : options) {
        assignments own;
        for (const auto& source : sources)
            if (own.empty())
                own = of_option(option, source);
        if (own.empty() && !option.by_default.empty())
            own.push_back({option.name, option.by_default, "default"});
        all.insert(all.end(), own.begin(), own.end());
    }
    return all;
}

std::string to_file(const assignments& in_force, std::span<const option> options)
{
    std::string text;
    for (const auto& option : options) {
        const auto own = of_option(option, in_force);
        for (const auto& [name, value, origin] : own)
            text += fmt::format("{:<31} # {}\n", fmt::format("{} = {}", name, value), origin);
        if (own.empty())
            text += fmt::format("{:<31} # default: none\n", fmt::format("# {} =", option.name));
    }
    return text;
}

transition change(const assignments& now, const assignments& wanted, std::span<const option> options)
{
    const auto needs_restart = [&](const option& option) {
        return !option.at_once && values_of(option, now) != values_of(option, wanted);
    };
    transition next;
    for (const auto& option : options) {
        const auto before = values_of(option, now);
        const auto after = values_of(option, wanted);
        const auto* leader = find(option.goes_with, options);
        const bool follows = leader != nullptr && needs_restart(*leader);
        const bool stays = before != after && (follows || needs_restart(option));
        const auto own = of_option(option, stays ? now : wanted);
        next.in_force.insert(next.in_force.end(), own.begin(), own.end());
        if (stays)
            next.need_restart.push_back(fmt::format("{} = {} needs a restart{}; until then it is {}", option.name,
                                                    in_words(after), follows ? ", like " + leader->name : "",
                                                    in_words(before)));
        else if (before != after)
            next.applied.push_back(
                fmt::format("{} = {} applied; it was {}", option.name, in_words(after), in_words(before)));
    }
    return next;
}

} // namespace causeway::service
