// Request targets: each asks for a code or gets an answer at once, which is a JSON object that says what is wrong.
#include "pieces.hpp"
#include "protocols/codes/http.hpp"

#include <boost/json/parse.hpp>

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace causeway;
    const http::request request{.method = boost::beast::http::verb::get,
                                .target = std::string(reinterpret_cast<const char*>(data), size)};
    const auto code = codes::code_in(request);
    if (code) {
        fuzz::require(codes::code::parse(code->text()).has_value());
        return 0;
    }
    const auto status = static_cast<unsigned>(code.error().status);
    fuzz::require(status == 400 || status == 404);
    fuzz::require(boost::json::parse(code.error().body).as_object().contains("error"));
    return 0;
}
