// The kinds of values that options have: how each is parsed, and what to say about an invalid text.
#pragma once

#include "net/host_port.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/matching.hpp"
#include "service/log_format.hpp"
#include "service/settings.hpp"

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::service {

/// A kind of value. Any thread may use it.
template <class Value>
struct value_kind {
    const char* name;                                    ///< in --help
    std::optional<Value> (*read)(std::string_view text); ///< nothing for an invalid text
    const char* advice;                                  ///< what to give instead
};

namespace kinds {

extern const value_kind<net::host_port> place;                     ///< where to listen
extern const value_kind<net::host_port> target;                    ///< where to connect to
extern const value_kind<std::optional<admin_address>> admin_place; ///< nothing: nowhere
extern const value_kind<std::chrono::nanoseconds> duration;
extern const value_kind<std::chrono::nanoseconds> positive_duration;
extern const value_kind<std::size_t> count; ///< from 1 on
extern const value_kind<std::size_t> thread_count;
extern const value_kind<spdlog::level::level_enum> log_level;
extern const value_kind<log_format> format_of_log;
extern const value_kind<std::string> path;
extern const value_kind<std::string> path_or_dash;
extern const value_kind<std::string> server_name; ///< of a certificate
extern const value_kind<bool> named;              ///< a switch, which the command line only names
extern const value_kind<bool> on_or_off;
extern const value_kind<protocol_name> protocol;
extern const value_kind<std::string> name_or_path; ///< of a dialect
extern const value_kind<iso8583::length_form> length_form;
extern const value_kind<std::string> header; ///< bytes
extern const value_kind<iso8583::key_fields> key_fields;

} // namespace kinds

/// A duration as a person writes it: a whole number and `ms`, `s`, `m` or `h`; up to 1000 hours. Nothing for any other
/// text.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

} // namespace causeway::service
