using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Serving;
using Pipeline.Training;

namespace Pipeline.Web;

/// <summary>The form that asks for the token.</summary>
/// <param name="Back">The page to show afterwards.</param>
/// <param name="Faults">What was wrong with the token given before.</param>
public sealed record SignInView(string Back, IReadOnlyList<string> Faults);

/// <summary>How a browser gets in where the service needs a token: a form takes it, a cookie keeps it.</summary>
internal static class SignInPages
{
    public const string SignOut = "/sign-out";

    private static readonly FormOptions Limits = new()
    {
        ValueCountLimit = 4,
        KeyLengthLimit = 64,
        ValueLengthLimit = 4096,
        BufferBodyLengthLimit = 16384,
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPage(
            AccessRules.SignInPath,
            context =>
                AccessOf(context).IsOpenTo(context.Request)
                    ? Page.Redirect(context, "/")
                    : WriteAsync(context, "/", [])
        );
        routes.MapPost(AccessRules.SignInPath, ModelEndpoints.Answer(SignInAsync));
        routes.MapPost(
            SignOut,
            ModelEndpoints.Answer(context =>
            {
                AccessOf(context).SignOut(context);
                return Page.Redirect(context, "/");
            })
        );
    }

    /// <summary>Answers with the form.</summary>
    /// <param name="context">The request.</param>
    /// <param name="back">The page to show afterwards.</param>
    /// <param name="faults">What was wrong with the token given before.</param>
    public static Task WriteAsync(HttpContext context, string back, IReadOnlyList<string> faults) =>
        Page.WriteAsync<SignInPage>(
            context,
            new SignInView(back, faults),
            StatusCodes.Status401Unauthorized
        );

    private static async Task SignInAsync(HttpContext context)
    {
        if (await Forms.ReadAsync(context, Limits, Forms.UrlEncoded) is not { } form)
            return;
        var back = OwnPath(form["back"].ToString());
        if (AccessOf(context).SignIn(context, form["token"].ToString().Trim()))
            await Page.Redirect(context, back);
        else
            await WriteAsync(
                context,
                back,
                [DataFile.Sentence("the token", "that of Serve:TokenFile", "another")]
            );
    }

    /// <summary>A path of this service; the first page in place of an address elsewhere.</summary>
    private static string OwnPath(string path) =>
        path is ['/', ..]
        && path is not ['/', '/' or '\\', ..]
        && path.All(letter => letter is > ' ' and <= '~')
            ? path
            : "/";

    private static AccessRules AccessOf(HttpContext context) =>
        context.RequestServices.GetRequiredService<AccessRules>();
}
