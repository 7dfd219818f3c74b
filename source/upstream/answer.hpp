// What asking the upstream can end in.
#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/is_error_code_enum.hpp>
#include <boost/system/result.hpp>

#include <string>

namespace causeway::upstream {

/// Why a question has no reply. An error code, so that who waits for an outcome need not know whose it is.
enum class failure {
    timed_out = 1, ///< the reply timeout passed first
    unavailable,   ///< no upstream has been reachable for longer than the reply timeout
    overloaded,    ///< too many requests wait already
};

/// The category of error codes that are a `failure`.
const boost::system::error_category& failure_category() noexcept;

inline boost::system::error_code make_error_code(failure failure) noexcept
{
    return {static_cast<int>(failure), failure_category()};
}

/// The reply line as it came, its line feed included, or a `failure`.
using answer = boost::system::result<std::string>;

} // namespace causeway::upstream

template <>
struct boost::system::is_error_code_enum<causeway::upstream::failure> : std::true_type {
};
