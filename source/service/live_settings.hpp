// The settings of a running program, and how they change while it runs.
#pragma once

#include "admin/report.hpp"
#include "service/configuration.hpp"
#include "service/process_log.hpp"
#include "service/settings.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace causeway::service {

/// Logs the outcome of a reload: either all of `next`, or nothing because of `errors`.
void log_reload(const transition& next, const std::vector<std::string>& errors);

/// The settings in force. It applies those of the log itself. For one thread.
template <class Settings>
class live_settings {
public:
    using parser = parsed<Settings> (*)(const invocation& call);

    /// `start` is the result of `parse` for `call`; each reload parses `call` again. Throws `std::runtime_error` when
    /// the log cannot be opened.
    live_settings(const invocation& call, parser parse, configured<Settings> start)
        : call_(call)
        , parse_(parse)
        , in_force_(std::move(start))
        , log_(in_force_.settings.log)
    {
    }

    const Settings& now() const noexcept { return in_force_.settings; }

    /// Rereads file and environment, reopens the log file, and logs what has changed. `prepare` gets the new values of
    /// everything that a running program can change, and returns a function that puts them in force, or throws a
    /// `std::runtime_error` that says what is wrong with them. If anything is wrong, everything stays as it was, and
    /// `prepare` gets the old values: its files may have been moved away.
    using preparation = std::function<std::function<void()>(const Settings& wanted)>;
    void reload(const preparation& prepare);

    const admin::reload_counts& counts() const noexcept { return counts_; }

private:
    std::function<void()> try_out(const Settings& wanted, const preparation& prepare, std::vector<std::string>& errors);
    void open_again(const preparation& prepare, std::vector<std::string>& errors);

    invocation call_;
    parser parse_;
    configured<Settings> in_force_;
    process_log log_;
    admin::reload_counts counts_{.last = std::chrono::system_clock::now()};
};

// The log comes last, because its settings take effect at once.
template <class Settings>
std::function<void()> live_settings<Settings>::try_out(const Settings& wanted, const preparation& prepare,
                                                       std::vector<std::string>& errors)
try {
    auto put_in_force = prepare(wanted);
    if (auto error = log_.apply(wanted.log))
        errors.push_back(*std::move(error));
    return put_in_force;
} catch (const std::runtime_error& error) {
    errors.emplace_back(error.what());
    return {};
}

// Everything stays as it was, but its files may have been moved away.
template <class Settings>
void live_settings<Settings>::open_again(const preparation& prepare, std::vector<std::string>& errors)
{
    const auto add = [&errors](std::string error) {
        if (std::ranges::find(errors, error) == errors.end())
            errors.push_back(std::move(error));
    };
    try {
        prepare(in_force_.settings);
    } catch (const std::runtime_error& error) {
        add(error.what());
    }
    if (auto error = log_.apply(in_force_.settings.log))
        add(*std::move(error));
}

template <class Settings>
void live_settings<Settings>::reload(const preparation& prepare)
{
    const auto wanted = parse_(call_);
    const auto* readable = std::get_if<configured<Settings>>(&wanted);
    auto errors = readable != nullptr ? std::vector<std::string>() : std::get<usage_error>(wanted).errors;

    Settings scratch;
    auto next =
        change(in_force_.in_force, readable != nullptr ? readable->in_force : in_force_.in_force, options_of(scratch));
    auto settings = settings_from<Settings>(next.in_force);
    std::function<void()> put_in_force;
    if (errors.empty())
        put_in_force = try_out(settings, prepare, errors);
    if (errors.empty()) {
        in_force_ = {std::move(settings), std::move(next.in_force)};
        put_in_force();
        counts_.last = std::chrono::system_clock::now();
    } else {
        open_again(prepare, errors);
    }
    ++counts_.reloads;
    counts_.last_succeeded = errors.empty();
    log_reload(next, errors);
}

} // namespace causeway::service
