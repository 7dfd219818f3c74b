// JSON as it was written: each value with the line it stands in, and of equal names each one.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// A JSON value.
struct json_value {
    enum class kind { null, boolean, number, string, array, object };

    kind is = kind::null;
    std::string name = {}; ///< of a member of an object
    std::string text = {}; ///< of a string its characters, of a whole number its digits, of a boolean `true` or `false`
    unsigned line = 1;     ///< where it begins
    std::vector<json_value> members = {}; ///< of an object or an array, in the order in which they stand there
};

/// Why a text is not JSON.
struct json_problem {
    unsigned line = 1;
    std::string what;
};

/// The value that `text`, all of it, is. Strings may have bytes that are not UTF-8: whoever reads them looks at them.
/// No more than `depth` objects and arrays stand in each other.
boost::system::result<json_value, json_problem> parse_json(std::string_view text, std::size_t depth);

} // namespace causeway::iso8583
