using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>The reader's session, which the layout shows.</summary>
/// <param name="CanEnd">Whether the reader signed in, and so can sign out.</param>
public sealed record Session(bool CanEnd);

/// <summary>Writes components as static HTML: no component keeps a state or a connection.</summary>
internal static class Page
{
    /// <summary>Answers with a page.</summary>
    /// <typeparam name="TPage">A component with a parameter <c>View</c>.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="view">What the page shows.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="policy">The page's content security policy.</param>
    public static async Task WriteAsync<TPage>(
        HttpContext context,
        object view,
        int status = StatusCodes.Status200OK,
        string policy = SecurityHeaders.OwnPages
    )
        where TPage : IComponent
    {
        var services = context.RequestServices;
        var session = new Session(
            services.GetRequiredService<AccessRules>().IsSignedIn(context.Request)
        );
        await using var renderer = new HtmlRenderer(
            services,
            services.GetRequiredService<ILoggerFactory>()
        );
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var root = await renderer.RenderComponentAsync<CascadingValue<Session>>(
                ParameterView.FromDictionary(
                    new Dictionary<string, object?>
                    {
                        [nameof(CascadingValue<>.Value)] = session,
                        [nameof(CascadingValue<>.ChildContent)] = (RenderFragment)(
                            builder =>
                            {
                                builder.OpenComponent<TPage>(0);
                                builder.AddComponentParameter(1, "View", view);
                                builder.CloseComponent();
                            }
                        ),
                    }
                )
            );
            return root.ToHtmlString();
        });
        SecurityHeaders.Confine(context.Response, policy);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(html, CancellationToken.None);
    }

    /// <summary>Sends the browser to another page, which it asks for by GET.</summary>
    public static Task Redirect(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
        return Task.CompletedTask;
    }
}
