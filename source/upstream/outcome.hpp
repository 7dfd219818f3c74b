// How a question to an upstream can end.
#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/is_error_code_enum.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace causeway::upstream {

/// Why a question got no reply. Passed on as an error code, so that code that waits for an outcome need not know its
/// source.
enum class failure {
    timed_out = 1,   ///< the reply timeout expired first
    unavailable,     ///< no upstream has been reachable for longer than the reply timeout
    overloaded,      ///< too many requests wait already
    connection_lost, ///< its message was on a lost connection, and is not written again
    duplicate,       ///< its key is in use by another request
};

/// The failure as a word, such as `timed_out`.
std::string_view name_of(failure why) noexcept;

/// The category of error codes that are a `failure`.
const boost::system::error_category& failure_category() noexcept;

/// The error code of a failure; `written` says that the upstream may have seen the message.
boost::system::error_code make_error_code(failure why, bool written = false) noexcept;

/// The failure in `error`, which is of the category above.
failure why_failed(const boost::system::error_code& error) noexcept;
bool was_written(const boost::system::error_code& error) noexcept;

/// The bytes of the reply as received, or a `failure`.
using outcome = boost::system::result<std::string>;

} // namespace causeway::upstream

/// @cond
template <>
struct boost::system::is_error_code_enum<causeway::upstream::failure> : std::true_type {
};
/// @endcond
