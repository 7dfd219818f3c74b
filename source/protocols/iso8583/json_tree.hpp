// JSON as it was written: each value with its line, and with repeated names preserved.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// A JSON value.
struct json_value {
    enum class kind { null, boolean, number, string, array, object };

    kind is = kind::null;
    std::string name = {}; ///< of a member of an object
    std::string text =
        {};            ///< the characters of a string, the digits of a whole number, `true` or `false` for a boolean
    unsigned line = 1; ///< where it begins
    std::vector<json_value> members = {}; ///< of an object or an array, in the order of the text
};

/// Why a text is not JSON.
struct json_problem {
    unsigned line = 1;
    std::string what;
};

/// The value that the whole of `text` represents. Strings may have bytes that are not UTF-8: the caller checks them.
/// Objects and arrays may be nested at most `depth` levels deep, and there may be at most `values` values in all.
boost::system::result<json_value, json_problem>
parse_json(std::string_view text, std::size_t depth, std::size_t values = std::numeric_limits<std::size_t>::max());

/// For `result::value`, and from Boost 1.92 on for its `operator*`. Throws `std::invalid_argument` with line and words.
[[noreturn]] void throw_exception_from_error(const json_problem& problem, const boost::source_location& where);

} // namespace causeway::iso8583
