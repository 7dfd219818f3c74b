#include "backend/code_server.hpp"

#include "protocols/codes/catalogue.hpp"
#include "protocols/codes/request.hpp"

#include <string_view>
#include <utility>

namespace causeway::backend {
namespace {

class code_responder final : public responder {
public:
    bool take(std::string_view bytes, clock::time_point /*now*/, std::string& output) override
    {
        while (const auto code = decoder_.next(bytes))
            codes::append_reply(*code, output);
        return true;
    }

    void finish(std::string& output) override
    {
        if (const auto code = decoder_.finish())
            codes::append_reply(*code, output);
    }

private:
    codes::request_decoder decoder_;
};

} // namespace

code_server::code_server(asio::io_context& io, const net::host_port& listen, std::chrono::nanoseconds bind_retry,
                         std::size_t most_clients, std::string when_in_use)
    : server(io, "code server", listen, bind_retry, most_clients, std::move(when_in_use))
{
}

std::unique_ptr<responder> code_server::make_responder() { return std::make_unique<code_responder>(); }

} // namespace causeway::backend
