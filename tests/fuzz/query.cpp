// Request targets: each asks for a code or gets an answer at once, and that is a JSON object which says what is wrong.
#include "http/question.hpp"
#include "pieces.hpp"

#include <boost/json/parse.hpp>

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace causeway;
    const http::request request{.method = boost::beast::http::verb::get,
                                .target = std::string(reinterpret_cast<const char*>(data), size)};
    const auto code = http::code_in(request);
    if (code) {
        fuzz::require(codes::code::parse(code->text()).has_value());
        return 0;
    }
    const auto status = static_cast<unsigned>(code.error().status);
    fuzz::require(status == 400 || status == 404);
    std::string body;
    append_body(code.error(), body);
    fuzz::require(boost::json::parse(body).as_object().contains("error"));
    return 0;
}
