// Request targets: each gets one answer, and nothing but a code gets through to the upstream.
#include "http/answer.hpp"
#include "pieces.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>

#include <optional>
#include <string>

namespace {

using namespace causeway;

awaitable<upstream::answer> echo(codes::code code, steady_timer&)
{
    fuzz::require(codes::code::parse(code.text()).has_value());
    co_return "Code " + std::string(code.text()) + "\n";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const http::ask_function ask = echo;
    const http::request request{.method = boost::beast::http::verb::get,
                                .target = std::string(reinterpret_cast<const char*>(data), size)};
    asio::io_context io;
    steady_timer deadline(io);
    std::optional<http::response> response;
    asio::co_spawn(io, http::answer(request, ask, deadline),
                   [&](const std::exception_ptr& thrown, http::response answer) {
                       fuzz::require(!thrown);
                       response = std::move(answer);
                   });
    io.run();
    fuzz::require(response.has_value());
    const auto status = static_cast<unsigned>(response->status);
    fuzz::require(status == 200 || status == 400 || status == 404);
    std::string body;
    append_body(*response, body);
    fuzz::require(boost::json::parse(body).as_object().contains(status == 200 ? "data" : "error"));
    return 0;
}
