#include "http/request_parser.hpp"

#include <utility>

namespace causeway::http {

request_parser::request_parser()
{
    eager(true);
    header_limit(longest_head);
    body_limit(longest_body);
}

request request_parser::take()
{
    request_.keep_alive = keep_alive();
    return std::move(request_);
}

void request_parser::on_request_impl(beast::http::verb method, string_view, string_view target, int version,
                                     error_code&)
{
    request_.method = method;
    request_.target = target;
    request_.version = static_cast<unsigned>(version);
}

// What is read on the way and not kept.
void request_parser::on_response_impl(int, string_view, int, error_code&) {}
void request_parser::on_field_impl(beast::http::field, string_view, string_view, error_code&) {}
void request_parser::on_header_impl(error_code&) {}
void request_parser::on_body_init_impl(const content_length&, error_code&) {}
std::size_t request_parser::on_body_impl(string_view body, error_code&) { return body.size(); }
void request_parser::on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}
std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view body, error_code&) { return body.size(); }
void request_parser::on_finish_impl(error_code&) {}

} // namespace causeway::http
