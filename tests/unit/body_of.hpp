// The body of an answer by itself.
#pragma once

#include "http/response.hpp"

#include <string>

inline std::string body_of(const causeway::http::response& response)
{
    std::string body;
    append_body(response, body);
    return body;
}
